import { useEffect, useState } from "react";
import { useTranslation } from "react-i18next";
import { useEditor, useFacts, useLab, useLive, useSaveState } from "../../app/editor";
import { serverText } from "../../app/serverText";
import { isBusy } from "../../net/session";
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
};

export function StatePill() {
  const { t } = useTranslation();
  const status = useFacts((facts) => facts.status);
  const wanted = useFacts((facts) => facts.lab.running);
  const waiting = status.phase === "stopped" && wanted && isBusy(status);
  const phase = waiting ? "waiting" : status.phase;
  return (
    <span
      className={`pill ${waiting ? "pend" : (TONE[phase] ?? "")}`}
      title={serverText(status, t).message || undefined}
    >
      {phase === "running" && <Icon name="play" />}
      {(phase === "failed" || phase === "cancelled") && <Icon name="warning" />}
      {t(`phase.${phase}`)}
      {phase === "running" && status.since !== null && <Elapsed since={status.since * 1000} />}
    </span>
  );
}

export function DriftPill() {
  const { t } = useTranslation();
  const editor = useEditor();
  const live = useLive();
  const count = live.driftCount;
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
  const problems = useFacts((facts) => facts.problems);
  const open = () => editor.ui.setState(({ problemsOpen }) => ({ problemsOpen: !problemsOpen }));
  if (problems.length === 0) return null;
  const bad = problems.some((problem) => problem.severity === "error");
  return (
    <button type="button" className={`pill ${bad ? "bad" : "warn"}`} onClick={open}>
      <Icon name={bad ? "error" : "warning"} />
      {t("topbar.problems", { count: problems.length })}
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
