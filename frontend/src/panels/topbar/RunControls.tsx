import { useEffect, useState } from "react";
import { useTranslation } from "react-i18next";
import { useFacts } from "../../app/editor";
import { isBusy } from "../../net/session";
import { ActionButton } from "../../ui/ActionButton";

const PATIENCE = 300; // ms: an edit of a running lab is done sooner, and nothing may flicker then

/** Run and plan; Stop once it runs; progress and Cancel while the worker works. */
export function RunControls() {
  const phase = useFacts((facts) => facts.status.phase);
  const wanted = useFacts((facts) => facts.lab.running);
  const busy = useFacts((facts) => isBusy(facts.status));
  const lasting = useLasting(busy);
  const halted = phase === "failed" || phase === "cancelled";
  return (
    <>
      <ActionButton id="plan" />
      {(phase === "running" ? lasting : busy) && <Progress cancellable={!halted && wanted} />}
      {(!wanted || halted) && <ActionButton id="run" text kind="primary" />}
      {(wanted || phase !== "stopped") && <ActionButton id="stop" kind="danger" />}
    </>
  );
}

/** How far the worker is. */
function Progress({ cancellable }: { cancellable: boolean }) {
  const { t } = useTranslation();
  const stopping = useFacts((facts) => facts.status.phase === "stopping");
  const done = useFacts((facts) => facts.status.steps_done);
  const total = useFacts((facts) => facts.status.steps_total);
  if (total > 0) {
    return (
      <>
        <span className="progress">
          <progress value={done} max={total} aria-label={t("topbar.progress")} />
          <span className="mono">
            {done}/{total}
          </span>
        </span>
        {cancellable && <ActionButton id="cancel" />}
      </>
    );
  }
  if (!stopping) return null;
  return (
    <span className="progress" role="status">
      <progress aria-label={t("topbar.progress")} />
      <span className="progress-words">{t("topbar.stopping")}</span>
    </span>
  );
}

/** True once `now` has been true for a while. */
function useLasting(now: boolean): boolean {
  const [lasting, setLasting] = useState(false);
  useEffect(() => {
    if (!now) return;
    const timer = setTimeout(() => setLasting(true), PATIENCE);
    return () => {
      clearTimeout(timer);
      setLasting(false);
    };
  }, [now]);
  return now && lasting;
}
