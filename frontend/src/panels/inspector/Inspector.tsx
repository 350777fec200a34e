import "./inspector.css";
import { lazy, type ReactNode, Suspense, useEffect, useId, useRef } from "react";
import { useTranslation } from "react-i18next";
import { useDrawn, useEditor, useUi } from "../../app/editor";
import type { InspectorTab } from "../../app/uiStore";
import { collectionOf } from "../../doc/graph";
import { TabList, TabPanel } from "../../ui/Tabs";
import { InterfacesTab } from "./InterfacesTab";
import { LabProperties } from "./LabProperties";
import { LinkProperties } from "./LinkProperties";
import { LiveTab } from "./LiveTab";
import { GroupProperties, NoteProperties } from "./MarkProperties";
import { MultiProperties } from "./MultiProperties";
import { NodeProperties } from "./NodeProperties";
import { RoutesTab } from "./RoutesTab";

/** What is selected, in words and fields. */
export function Inspector() {
  const { t } = useTranslation();
  const editor = useEditor();
  const body = useRef<HTMLElement>(null);
  useEffect(() => {
    editor.focusInspector = () => {
      // After the render that shows what was just selected.
      requestAnimationFrame(() => {
        const panel = body.current?.querySelector<HTMLElement>("[role=tabpanel]") ?? body.current;
        const first = panel?.querySelector<HTMLElement>("input, button, select, textarea");
        (first ?? panel)?.focus();
      });
    };
  }, [editor]);
  return (
    <section ref={body} className="inspector" aria-label={t("inspector.title")} tabIndex={-1}>
      <Content />
    </section>
  );
}

function Content() {
  const selection = useUi((state) => state.selection);
  const [id, ...more] = selection;
  const what = useDrawn((drawing) => (id === undefined ? null : collectionOf(drawing, id)));
  const owner = useDrawn(({ interfaces }) => interfaces[id ?? ""]?.node);
  if (id === undefined) return <LabProperties />;
  if (more.length > 0) return <MultiProperties ids={[...selection]} />;
  if (owner) return <NodeTabs key={owner} id={owner} />;
  if (what === "nodes") return <NodeTabs key={id} id={id} />;
  if (what === "links") return <LinkProperties key={id} id={id} />;
  if (what === "notes") return <NoteProperties key={id} id={id} />;
  if (what === "groups") return <GroupProperties key={id} id={id} />;
  return <LabProperties />;
}

export const loadServices = () => import("./services/ServicesTab");
const ServicesTab = lazy(async () => ({ default: (await loadServices()).ServicesTab }));

const PANELS: Record<InspectorTab, (id: string) => ReactNode> = {
  properties: (id) => <NodeProperties id={id} />,
  interfaces: (id) => <InterfacesTab node={id} />,
  routes: (id) => <RoutesTab node={id} />,
  services: (id) => (
    <Suspense>
      <ServicesTab node={id} />
    </Suspense>
  ),
  live: (id) => <LiveTab node={id} />,
};
const TABS = Object.keys(PANELS) as InspectorTab[];

function NodeTabs({ id }: { id: string }) {
  const { t } = useTranslation();
  const editor = useEditor();
  const tabs = useId();
  const chosen = useUi((state) => state.inspectorTab);
  const uplink = useDrawn(({ nodes }) => nodes[id]?.kind === "uplink");
  // Nobody in the lab can enter an uplink: it serves nothing.
  const keys = uplink ? TABS.filter((key) => key !== "services") : TABS;
  const tab = keys.includes(chosen) ? chosen : "properties";
  return (
    <div className="tabs">
      <TabList
        id={tabs}
        label={t("inspector.title")}
        tabs={keys.map((key) => [key, t(`inspector.${key}`)])}
        selected={tab}
        onSelect={(inspectorTab) => editor.ui.setState({ inspectorTab })}
      />
      <TabPanel id={tabs} selected={tab} reading={tab === "live"}>
        {PANELS[tab](id)}
      </TabPanel>
    </div>
  );
}
