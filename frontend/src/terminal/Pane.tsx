import { useCallback, useEffect, useRef } from "react";
import { useTranslation } from "react-i18next";
import { useStore } from "zustand";
import { action } from "../actions/registry";
import { formatKeys } from "../actions/shortcuts";
import { useEditor } from "../app/editor";
import { Button } from "../ui/Button";
import { Icon } from "../ui/Icon";
import { FindBar } from "./FindBar";
import { LinkDialog } from "./LinkDialog";
import { panesOf } from "./layout";
import { NodeMark, useNodeFace } from "./NodeMark";
import { PaneNotice } from "./PaneNotice";
import { type OpenTerminal, poolOf } from "./pool";

const BELL_SHOWN = 1_000; // ms

interface Props {
  id: string;
  headed: boolean; // one of several in its tab
}

/** One terminal: its screen, and over it what there is to say. */
export function Pane({ id, headed }: Props) {
  const editor = useEditor();
  const open = poolOf(editor).get(id);
  const node = useStore(editor.terminals.state, (state) => state.panes[id]?.node ?? "");
  if (!open) return null;
  return <Screen id={id} node={node} open={open} headed={headed} />;
}

function Screen({ id, node, open, headed }: Props & { node: string; open: OpenTerminal }) {
  const { t } = useTranslation();
  const editor = useEditor();
  const host = useRef<HTMLDivElement>(null);
  const { name } = useNodeFace(node);
  const focused = useStore(editor.terminals.state, () => editor.terminals.focused === id);
  const { write, phase, title } = useStore(open.session.state);
  const finding = useStore(open.overlay, (overlay) => overlay.finding);
  const link = useStore(open.overlay, (overlay) => overlay.link);
  const leave = formatKeys(action("terminal.go").keys?.[0] ?? "");
  const label = t("terminal.input", { name, keys: leave });
  const tab = useStore(editor.terminals.state, () => editor.terminals.activeTab);
  const order = tab ? panesOf(tab.tree) : [];
  const place = headed ? ` ${order.indexOf(id) + 1}/${order.length}` : "";

  const takeFocus = useCallback(() => {
    if (editor.terminals.takesFocus(id)) open.screen.focus();
  }, [editor, open, id]);
  useEffect(() => {
    if (!host.current) return;
    open.screen.attach(host.current, label);
    takeFocus();
    const stop = editor.terminals.onWanted(takeFocus);
    return () => {
      stop();
      open.screen.detach();
    };
  }, [open, editor, label, takeFocus]);
  useEffect(() => open.screen.setFocused(focused), [open, focused]);
  const rung = useBell(open);

  return (
    <section
      className={`term-pane${focused && headed ? " focused" : ""}${rung ? " rung" : ""}`}
      aria-label={t("terminal.of", { name }) + place}
      data-terminal-keys
      onFocus={() => editor.terminals.entered(id)}
    >
      {headed && (
        <div className="term-head">
          <NodeMark node={node} />
          <b>{name}</b>
          <span className="term-title">{title}</span>
          <Button
            label={t("terminal.closeOf", { name })}
            icon="close"
            kind="bare"
            small
            onPress={() => editor.terminals.close(id)}
          />
        </div>
      )}
      <div className="term-room">
        <div ref={host} className="term-host" />
        {finding && <FindBar open={open} />}
        <div className="term-badges">
          {rung && (
            <span className="term-badge">
              <Icon name="bell" size={12} />
              {t("terminal.bell")}
            </span>
          )}
          {!write && phase === "open" && (
            <span className="term-badge">{t("terminal.readOnly")}</span>
          )}
        </div>
        <PaneNotice open={open} pane={id} node={node} />
      </div>
      {link !== null && (
        <LinkDialog
          address={link}
          name={name}
          onClose={() => open.overlay.setState({ link: null })}
        />
      )}
    </section>
  );
}

/** A bell is seen: for a second, whatever the person thinks of motion. */
function useBell(open: OpenTerminal): boolean {
  const rung = useStore(open.session.state, (state) => state.bell);
  useEffect(() => {
    if (!rung) return;
    const timer = setTimeout(() => open.session.setBell(false), BELL_SHOWN);
    return () => clearTimeout(timer);
  }, [open, rung]);
  return rung;
}
