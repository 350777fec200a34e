import { useTranslation } from "react-i18next";
import { useStore } from "zustand";
import { whyNoTerminal } from "../actions/terminal";
import { useEditor, useFacts, useLive } from "../app/editor";
import { serverLine } from "../app/serverText";
import { Button } from "../ui/Button";
import type { OpenTerminal } from "./pool";

interface Props {
  open: OpenTerminal;
  pane: string;
  node: string;
}

/** What happened to the connection or the program, at the foot of the pane. */
export function PaneNotice({ open, pane, node }: Props) {
  const { t } = useTranslation();
  const { phase, reason, said, status, back } = useStore(open.session.state);
  if (phase === "ended" || phase === "refused") {
    const what = phase === "ended" ? t("terminal.ended", { status }) : t(`terminal.why.${reason}`);
    return (
      <div className={`term-notice ${phase}`} role="status">
        <span>{[what, serverLine(said, t)].filter(Boolean).join(" ")}</span>
        <Again open={open} node={node} pane={pane} />
      </div>
    );
  }
  if (phase === "away" || phase === "connecting") {
    return (
      <div className={`term-notice ${phase}`} role="status">
        <span>{t(phase === "away" ? "terminal.away" : "terminal.connecting")}</span>
      </div>
    );
  }
  if (!back) return null;
  const missed = back.missed > 0 ? t("terminal.missed", { size: kibibytes(back.missed) }) : "";
  return (
    <div className="term-notice back" role="status">
      <span>{back.replaced ? t("terminal.replaced") : [t("terminal.back"), missed].join(" ")}</span>
      <Button
        label={t("ui.close")}
        icon="close"
        kind="bare"
        small
        onPress={() => {
          open.session.goOn();
          open.screen.focus();
        }}
      />
    </div>
  );
}

function Again({ open, node, pane }: Props) {
  const { t } = useTranslation();
  const editor = useEditor();
  useLive();
  useFacts((facts) => facts.status);
  const reason = whyNoTerminal(editor, node);
  return (
    <>
      <Button
        label={t("terminal.again")}
        small
        disabledReason={reason && t(reason)}
        onPress={() => {
          open.session.again();
          open.screen.focus();
        }}
      >
        {t("terminal.again")}
        {!reason && <kbd>↩</kbd>}
      </Button>
      <Button label={t("terminal.close")} small onPress={() => editor.terminals.close(pane)}>
        {t("terminal.close")}
      </Button>
    </>
  );
}

function kibibytes(bytes: number): number {
  return Math.max(1, Math.round(bytes / 1024));
}
