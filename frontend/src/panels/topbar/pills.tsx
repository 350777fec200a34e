import { useEffect, useState } from "react";
import { useTranslation } from "react-i18next";
import { useEditor, useFacts, useLab, useLivePart, useSaveState } from "../../app/editor";
import { serverText } from "../../app/serverText";
import { type Facts, isBusy } from "../../net/session";
import { Icon } from "../../ui/Icon";

function elapsed(since: number, now: number): string {
  const seconds = Math.max(0, Math.floor((now - since) / 1000));
  const parts = [seconds / 3600, (seconds / 60) % 60, seconds % 60].map(Math.floor);
  return parts.map((part) => String(part).padStart(2, "0")).join(":");
}

/** Time since the lab was seen running; ticks by itself so that nothing else renders. */
function Elapsed({ since }: { since: number }) {
  const [now, setNow] = useState(Date.now);
  useEffect(() => {
    const timer = setInterval(() => setNow(Date.now()), 1000);
    return () => clearInterval(timer);
  }, []);
  return <span className="mono">{elapsed(since, now)}</span>;
}

const TONE: Record<string, string> = {
  running: "ok",
  failed: "bad",
  cancelled: "warn",
  starting: "pend",
  changing: "pend",
  stopping: "pend",
  waiting: "pend",
};

/** What the status says; "waiting" while nobody has begun what was asked for. */
function phaseOf({ status, lab }: Facts): string {
  return status.phase === "stopped" && lab.running && isBusy(status) ? "waiting" : status.phase;
}

export function StatePill() {
  const { t } = useTranslation();
  const phase = useFacts(phaseOf);
  const since = useFacts((facts) => facts.status.since);
  const message = useFacts((facts) => serverText(facts.status, t).message);
  return (
    <span className={`pill ${TONE[phase] ?? ""}`} title={message || undefined}>
      {phase === "running" && <Icon name="play" />}
      {(phase === "failed" || phase === "cancelled") && <Icon name="warning" />}
      {t(`phase.${phase}`)}
      {phase === "running" && since !== null && <Elapsed since={since * 1000} />}
    </span>
  );
}

export function DriftPill() {
  const { t } = useTranslation();
  const editor = useEditor();
  const { live } = useLab();
  const count = useLivePart((live) => live.driftCount);
  if (count === 0) return null;
  const show = () => {
    const node = [...live.nodeIds()].find((id) => (live.node(id)?.drift.length ?? 0) > 0);
    if (node === undefined) return;
    editor.select([node]);
    editor.ui.setState({ inspectorTab: "live", inspectorOpen: true });
    editor.scene?.centerOn(node);
  };
  return (
    <button type="button" className="pill drift" onClick={show}>
      ≠ {t("topbar.drifts", { count })}
    </button>
  );
}

export function ProblemsPill() {
  const { t } = useTranslation();
  const editor = useEditor();
  const count = useFacts(({ problems }) => problems.length);
  const bad = useFacts(({ problems }) => problems.some(({ severity }) => severity === "error"));
  const open = () => editor.ui.setState(({ problemsOpen }) => ({ problemsOpen: !problemsOpen }));
  if (count === 0) return null;
  return (
    <button type="button" className={`pill ${bad ? "bad" : "warn"}`} onClick={open}>
      <Icon name={bad ? "error" : "warning"} />
      {t("topbar.problems", { count })}
    </button>
  );
}

export function SavedState() {
  const { t } = useTranslation();
  const { doc } = useLab();
  const state = useSaveState();
  const count = doc.pending.length;
  return (
    <span className={`saved ${state}`}>
      {state === "saved" && <Icon name="check" />}
      {t(`topbar.${state}`, { count })}
    </span>
  );
}
