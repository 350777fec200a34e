import "./shell.css";
import { Suspense, useEffect, useState } from "react";
import { useTranslation } from "react-i18next";
import { Group, Panel, Separator, useDefaultLayout, usePanelRef } from "react-resizable-panels";
import { ACTIONS } from "../actions/registry";
import { listen } from "../actions/shortcuts";
import { CanvasPanel } from "../panels/canvas/CanvasPanel";
import { DOCK_FOLDED, DOCK_LEAST, Dock } from "../panels/dock/Dock";
import { Inspector, loadServices } from "../panels/inspector/Inspector";
import { Outline } from "../panels/outline/Outline";
import { Palette } from "../panels/palette/Palette";
import { TopBar } from "../panels/topbar/TopBar";
import { loadMenus } from "../ui/ActionMenu";
import { Dialogs, dialogLoads } from "./Dialogs";
import { useEditor, useLab, useUi } from "./editor";
import { LiveRegion, Notices, Toasts } from "./Messages";
import { prefetch } from "./prefetch";
import { StatusNote } from "./StatusNote";
import { StoryBar, StoryList, StoryVerdict } from "./stories";
import { Warnings } from "./Warnings";

const SOON = [loadMenus, loadServices, ...dialogLoads];
const NARROW = "(max-width: 1279px)";

function useNarrow(): boolean {
  const [narrow, setNarrow] = useState(() => window.matchMedia(NARROW).matches);
  useEffect(() => {
    const query = window.matchMedia(NARROW);
    const tell = () => setNarrow(query.matches);
    query.addEventListener("change", tell);
    return () => query.removeEventListener("change", tell);
  }, []);
  return narrow;
}

/** The editor's rooms: top bar, palette and outline, canvas, inspector, dock. */
export function EditorShell() {
  const { t } = useTranslation();
  const editor = useEditor();
  const lab = useLab();
  const narrow = useNarrow();
  const open = useUi((state) => state.inspectorOpen);
  const story = useUi((state) => state.story !== null);
  const dock = usePanelRef();
  const left = usePanelRef();
  const right = usePanelRef();
  const rowsLayout = useDefaultLayout({ id: "topoweb.rows", storage: localStorage });
  const columnsLayout = useDefaultLayout({
    id: narrow ? "topoweb.narrow" : "topoweb.columns",
    storage: localStorage,
  });
  useEffect(() => listen(editor, ACTIONS), [editor]);
  useEffect(() => prefetch(SOON), []);
  useEffect(() => {
    if (!story) return;
    const back = [left, right].map(({ current }, at) => {
      const before = current?.getSize().inPixels ?? 0;
      const least = at === 0 ? 272 : 384;
      if (before < least) current?.resize(least);
      return () => before < least && current?.resize(before);
    });
    return () => {
      for (const narrow of back) narrow();
    };
  }, [story, left, right]);
  useEffect(() => {
    if (narrow) editor.ui.setState({ inspectorOpen: false });
    else editor.ui.setState({ inspectorOpen: true });
  }, [editor, narrow]);
  return (
    <div className="shell">
      <TopBar />
      <Notices />
      <StatusNote />
      <Warnings />
      <Suspense>{story && <StoryBar />}</Suspense>
      <main className="shell-rows">
        <Group orientation="vertical" {...rowsLayout}>
          <Panel id="upper" minSize={240}>
            <Group
              key={narrow ? "narrow" : "wide"}
              orientation="horizontal"
              className="shell-columns"
              {...columnsLayout}
            >
              <Panel
                id="left"
                panelRef={left}
                defaultSize={212}
                minSize={160}
                maxSize={420}
                groupResizeBehavior="preserve-pixel-size"
              >
                <div className="left">
                  {story ? (
                    <Suspense>
                      <StoryList />
                    </Suspense>
                  ) : (
                    <>
                      <Palette />
                      <Outline />
                    </>
                  )}
                </div>
              </Panel>
              <Separator className="grip vertical" aria-label={t("shell.resizeLeft")} />
              <Panel id="canvas" minSize={260}>
                <div className="middle">
                  <CanvasPanel />
                </div>
              </Panel>
              {!narrow && (
                <>
                  <Separator className="grip vertical" aria-label={t("shell.resizeRight")} />
                  <Panel
                    id="right"
                    panelRef={right}
                    defaultSize={330}
                    minSize={240}
                    maxSize={560}
                    groupResizeBehavior="preserve-pixel-size"
                  >
                    <div className="right">
                      <RightRoom story={story} />
                    </div>
                  </Panel>
                </>
              )}
            </Group>
          </Panel>
          <Separator className="grip horizontal" aria-label={t("shell.resizeDock")} />
          <Panel
            id="dock"
            panelRef={dock}
            defaultSize={332}
            minSize={DOCK_LEAST}
            collapsible
            collapsedSize={DOCK_FOLDED}
            groupResizeBehavior="preserve-pixel-size"
          >
            <Dock labId={lab.id} panel={dock} />
          </Panel>
        </Group>
        {narrow && open && (
          <div className="right overlay">
            <RightRoom story={story} />
          </div>
        )}
      </main>
      <Dialogs />
      <Toasts />
      <LiveRegion />
    </div>
  );
}

function RightRoom({ story }: { story: boolean }) {
  if (!story) return <Inspector />;
  return (
    <Suspense>
      <StoryVerdict />
    </Suspense>
  );
}
