import "./dock.css";
import { lazy, Suspense, useEffect, useId, useMemo, useRef, useState } from "react";
import { useTranslation } from "react-i18next";
import {
  Group,
  Panel,
  type PanelImperativeHandle,
  Separator,
  useDefaultLayout,
} from "react-resizable-panels";
import { useStore } from "zustand";
import { useEditor, useFacts, useUi } from "../../app/editor";
import { StoryTables, StoryTime } from "../../app/stories";
import { Button } from "../../ui/Button";
import { TabList, TabPanel } from "../../ui/Tabs";
import { PlanSteps } from "../plan/PlanSteps";
import { ProblemList } from "../problems/Problems";
import { DockModel } from "./dockModel";
import { PacketsPane } from "./PacketsPane";
import { PacketTools } from "./PacketTools";
import { Timeline } from "./Timeline";

/** Px of the time-line alone; and the least height with a tab under it. */
export const DOCK_FOLDED = 65;
export const DOCK_LEAST = 190;
const STORY_HEIGHT = 390; // px
const LEAST_WIDTH = 300; // px of packets or terminals

interface Props {
  labId: number;
  panel: React.RefObject<PanelImperativeHandle | null>;
}

/** xterm is large: it is loaded with the first terminal. */
const TerminalTabs = lazy(() =>
  import("../../terminal/TerminalTabs").then((module) => ({ default: module.TerminalTabs })),
);

/** Below the canvas: the time-line, always in view, and under it what is seen and what is typed. */
export function Dock({ labId, panel }: Props) {
  const { t } = useTranslation();
  const editor = useEditor();
  const dock = useMemo(() => new DockModel(editor), [editor]);
  const asked = useUi((state) => state.problemsOpen);
  const { ref, folded } = useFolded();
  useEffect(() => dock.start(), [dock]);
  useEffect(() => () => editor.terminals.destroy(), [editor]);
  // The top bar's pill and the command "problems" open their tab here.
  useEffect(() => {
    if (!asked) return;
    panel.current?.expand();
    editor.terminals.state.setState({ wide: false });
  }, [asked, panel, editor]);
  const story = useUi((state) => state.story !== null);
  useEffect(() => {
    if (!story) return;
    panel.current?.expand();
    if ((panel.current?.getSize().inPixels ?? 0) < STORY_HEIGHT)
      panel.current?.resize(STORY_HEIGHT);
  }, [story, panel]);
  useEffect(() => editor.terminals.onWanted(() => panel.current?.expand()), [editor, panel]);
  return (
    <section ref={ref} className="dock" aria-label={t("dock.title")} data-lab={labId}>
      <div className={story ? "dock-top story-time" : "dock-top"}>
        {story ? (
          <Suspense>
            <StoryTime />
          </Suspense>
        ) : (
          <Timeline dock={dock} />
        )}
        <Button
          label={t(folded ? "dock.unfold" : "dock.fold")}
          icon={folded ? "up" : "down"}
          kind="bare"
          onPress={() => (folded ? panel.current?.expand() : panel.current?.collapse())}
        />
      </div>
      {!folded && <Body dock={dock} story={story} />}
    </section>
  );
}

/** Packets, problems and plan, and beside them the terminals, once there are some. */
function Body({ dock, story }: { dock: DockModel; story: boolean }) {
  const { t } = useTranslation();
  const { terminals } = useEditor();
  const some = useStore(terminals.state, (state) => state.tabs.length > 0);
  const wide = useStore(terminals.state, (state) => state.wide);
  const layout = useDefaultLayout({
    id: "topoweb.dock",
    panelIds: ["seen", "typed"],
    storage: localStorage,
  });
  const both = some && !wide;
  return (
    <Group orientation="horizontal" className="dock-body" {...(both ? layout : {})}>
      {!(some && wide) && (
        <Panel id="seen" minSize={LEAST_WIDTH}>
          {story ? (
            <Suspense>
              <StoryTables />
            </Suspense>
          ) : (
            <Seen dock={dock} />
          )}
        </Panel>
      )}
      {both && <Separator className="grip vertical" aria-label={t("dock.resizeTerminals")} />}
      {some && (
        <Panel id="typed" minSize={LEAST_WIDTH} defaultSize="42">
          <Suspense fallback={<output className="dock-wait">{t("app.loading")}</output>}>
            <TerminalTabs />
          </Suspense>
        </Panel>
      )}
    </Group>
  );
}

type SeenTab = "packets" | "problems" | "plan";

function Seen({ dock }: { dock: DockModel }) {
  const { t } = useTranslation();
  const editor = useEditor();
  const tabs = useId();
  const [tab, setTab] = useState<SeenTab>("packets");
  const asked = useUi((state) => state.problemsOpen);
  const problems = useFacts((facts) => facts.problems.length);
  const shown = asked ? "problems" : tab;
  const choose = (key: SeenTab) => {
    setTab(key);
    editor.ui.setState({ problemsOpen: key === "problems" });
  };
  return (
    <div className="tabs dock-tabs">
      <div className="dock-bar">
        <TabList
          id={tabs}
          label={t("dock.tabs")}
          tabs={[
            ["packets", t("packets.title")],
            ["problems", <ProblemsTitle key="title" count={problems} />],
            ["plan", t("dock.plan")],
          ]}
          selected={shown}
          onSelect={choose}
        />
        {shown === "packets" && <PacketTools dock={dock} />}
      </div>
      <TabPanel id={tabs} selected={shown} reading={shown !== "packets"}>
        {shown === "packets" && <PacketsPane dock={dock} />}
        {shown === "problems" && <ProblemList />}
        {shown === "plan" && <PlanSteps />}
      </TabPanel>
    </div>
  );
}

function ProblemsTitle({ count }: { count: number }) {
  const { t } = useTranslation();
  return (
    <>
      {t("problems.title")}
      {count > 0 && <span className="count">{count}</span>}
    </>
  );
}

/** Folded is what is too low for a tab, however it became so: by button, by drag, by window. */
function useFolded() {
  const ref = useRef<HTMLElement>(null);
  const [folded, setFolded] = useState(false);
  useEffect(() => {
    const element = ref.current;
    if (!element) return;
    const observer = new ResizeObserver(() => {
      const { height } = element.getBoundingClientRect();
      setFolded(height > 0 && height < DOCK_FOLDED + 40);
    });
    observer.observe(element);
    return () => observer.disconnect();
  }, []);
  return { ref, folded };
}
