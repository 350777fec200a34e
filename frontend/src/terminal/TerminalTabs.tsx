import "./terminal.css";
import { useEffect, useRef } from "react";
import { Tab, TabList, TabPanel, Tabs } from "react-aria-components";
import { useTranslation } from "react-i18next";
import { useStore } from "zustand";
import { action } from "../actions/registry";
import { formatKeys } from "../actions/shortcuts";
import { useEditor } from "../app/editor";
import { ActionButton } from "../ui/ActionButton";
import { ActionMenu } from "../ui/ActionMenu";
import { Icon } from "../ui/Icon";
import { panesOf } from "./layout";
import { NodeMark, useNodeFace } from "./NodeMark";
import { PaneTree } from "./PaneTree";
import { type OpenTerminal, poolOf } from "./pool";
import type { Terminals, TerminalTab } from "./terminals";

const MENU = [
  "terminal.another",
  "terminal.splitRight",
  "terminal.splitBelow",
  "-",
  "terminal.copy",
  "terminal.find",
  "-",
  "terminal.larger",
  "terminal.smaller",
  "terminal.reader",
  "-",
  "terminal.close",
];

/** All open terminals: a tab for each, panes within. Loaded with the first of them. */
export function TerminalTabs() {
  const { t } = useTranslation();
  const editor = useEditor();
  const { terminals } = editor;
  const { tabs, active } = useStore(terminals.state);
  const list = useRef<HTMLDivElement>(null);
  poolOf(editor);
  useEffect(() => {
    terminals.focusTabs = () =>
      list.current?.querySelector<HTMLElement>("[role=tab][aria-selected=true]")?.focus();
    return () => {
      terminals.focusTabs = () => {};
    };
  }, [terminals]);
  const keys = (key: string) => {
    const focused = terminals.focused;
    if (key === "Delete") closeTab(terminals, terminals.activeTab);
    else if ((key === "Enter" || key === "ArrowDown") && focused) terminals.focus(focused);
    else return false;
    return true;
  };
  const leave = formatKeys(action("terminal.go").keys?.[0] ?? "");
  return (
    <section className="terminals" aria-label={t("terminal.title")} data-terminal>
      <Tabs
        className="tabs"
        selectedKey={active ?? ""}
        onSelectionChange={(key) => terminals.state.setState({ active: String(key) })}
      >
        <div className="term-bar">
          <div
            ref={list}
            className="term-list"
            onKeyDownCapture={(event) => keys(event.key) && event.preventDefault()}
          >
            <TabList className="term-tabs" aria-label={t("terminal.title")}>
              {tabs.map((tab) => (
                <Tab key={tab.id} id={tab.id} className="term-tab">
                  <TabFace tab={tab} shown={tab.id === active} />
                </Tab>
              ))}
            </TabList>
          </div>
          <ActionButton id="terminal.another" kind="bare" />
          <span className="term-hint">{t("terminal.leave", { keys: leave })}</span>
          <ActionButton id="terminal.splitRight" kind="bare" />
          <ActionButton id="terminal.splitBelow" kind="bare" />
          <ActionButton id="terminal.wide" kind="bare" />
          <ActionMenu label={t("terminal.menu")} icon="more" ids={MENU} />
        </div>
        {tabs.map((tab) => (
          <TabPanel key={tab.id} id={tab.id} className="term-panel">
            <PaneTree tree={tab.tree} />
          </TabPanel>
        ))}
      </Tabs>
    </section>
  );
}

function closeTab(terminals: Terminals, tab: TerminalTab | undefined): void {
  for (const pane of tab ? panesOf(tab.tree) : []) terminals.close(pane);
}

/** A tab: kind and name of its node, and what its pane in use says of itself. */
function TabFace({ tab, shown }: { tab: TerminalTab; shown: boolean }) {
  const { t } = useTranslation();
  const editor = useEditor();
  const node = useStore(editor.terminals.state, (state) => state.panes[tab.focused]?.node ?? "");
  const { name } = useNodeFace(node);
  const open = poolOf(editor).get(tab.focused);
  const count = panesOf(tab.tree).length;
  return (
    <>
      <NodeMark node={node} />
      <span>{name}</span>
      {count > 1 && <span className="term-count">{count}</span>}
      {open && <TabState open={open} shown={shown} />}
      <span
        className="term-close"
        aria-hidden="true"
        title={t("terminal.closeOf", { name })}
        onPointerDown={(event) => {
          event.stopPropagation();
          closeTab(editor.terminals, tab);
        }}
      >
        <Icon name="close" size={12} />
      </span>
    </>
  );
}

const MARKS = { connecting: "…", open: "", away: "⟳", ended: "■", refused: "✕" } as const;

function TabState({ open, shown }: { open: OpenTerminal; shown: boolean }) {
  const { t } = useTranslation();
  const { phase, bell, title } = useStore(open.session.state);
  return (
    <>
      {title !== "" && <span className="term-title">{title}</span>}
      {bell && !shown && (
        <>
          <Icon name="bell" size={12} />
          <span className="hidden-text">{t("terminal.bell")}</span>
        </>
      )}
      {MARKS[phase] !== "" && (
        <>
          <span aria-hidden="true">{MARKS[phase]}</span>
          <span className="hidden-text">{t(`terminal.phase.${phase}`)}</span>
        </>
      )}
    </>
  );
}
