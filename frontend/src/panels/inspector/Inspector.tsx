import "./inspector.css";
import { lazy, Suspense, useEffect, useRef } from "react";
import { Tab, TabList, TabPanel, Tabs } from "react-aria-components";
import { useTranslation } from "react-i18next";
import { useEditor, useTopology, useUi } from "../../app/editor";
import type { InspectorTab } from "../../app/uiStore";
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
  const { nodes, links, notes, groups } = useTopology();
  const [id, ...more] = selection;
  if (id === undefined) return <LabProperties />;
  if (more.length > 0) return <MultiProperties ids={[...selection]} />;
  if (nodes[id]) return <NodeTabs key={id} id={id} />;
  if (links[id]) return <LinkProperties key={id} id={id} />;
  if (notes[id]) return <NoteProperties key={id} id={id} />;
  if (groups[id]) return <GroupProperties key={id} id={id} />;
  return <LabProperties />;
}

const ServicesTab = lazy(() =>
  import("./services/ServicesTab").then((module) => ({ default: module.ServicesTab })),
);

const TABS: InspectorTab[] = ["properties", "interfaces", "routes", "services", "live"];

function NodeTabs({ id }: { id: string }) {
  const { t } = useTranslation();
  const editor = useEditor();
  const chosen = useUi((state) => state.inspectorTab);
  const { nodes } = useTopology();
  // Nobody in the lab can enter an uplink: it serves nothing.
  const tabs = nodes[id]?.kind === "uplink" ? TABS.filter((key) => key !== "services") : TABS;
  const tab = tabs.includes(chosen) ? chosen : "properties";
  return (
    <Tabs
      className="tabs"
      selectedKey={tab}
      onSelectionChange={(key) => editor.ui.setState({ inspectorTab: key as InspectorTab })}
    >
      <TabList className="tab-list" aria-label={t("inspector.title")}>
        {tabs.map((key) => (
          <Tab key={key} id={key} className="tab">
            {t(`inspector.${key}`)}
          </Tab>
        ))}
      </TabList>
      <TabPanel id="properties" className="tab-panel">
        <NodeProperties id={id} />
      </TabPanel>
      <TabPanel id="interfaces" className="tab-panel">
        <InterfacesTab node={id} />
      </TabPanel>
      <TabPanel id="routes" className="tab-panel">
        <RoutesTab node={id} />
      </TabPanel>
      {tabs.includes("services") && (
        <TabPanel id="services" className="tab-panel">
          <Suspense>
            <ServicesTab node={id} />
          </Suspense>
        </TabPanel>
      )}
      <TabPanel id="live" className="tab-panel">
        <LiveTab node={id} />
      </TabPanel>
    </Tabs>
  );
}
