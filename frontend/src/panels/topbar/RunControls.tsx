import { useTranslation } from "react-i18next";
import { useFacts } from "../../app/editor";
import { isBusy } from "../../net/session";
import { ActionButton } from "../../ui/ActionButton";

/** Run and plan; Stop once it runs; progress and Cancel while the worker works. */
export function RunControls() {
  const { t } = useTranslation();
  const status = useFacts((facts) => facts.status);
  const wanted = useFacts((facts) => facts.lab.running);
  const busy = isBusy(status);
  const halted = status.phase === "failed" || status.phase === "cancelled";
  return (
    <>
      <ActionButton id="plan" />
      {busy && status.steps_total > 0 && (
        <span className="progress">
          <progress
            value={status.steps_done}
            max={status.steps_total}
            aria-label={t("topbar.progress")}
          />
          <span className="mono">
            {status.steps_done}/{status.steps_total}
          </span>
        </span>
      )}
      {busy && status.phase === "stopping" && status.steps_total === 0 && (
        <span className="progress" role="status">
          <progress aria-label={t("topbar.progress")} />
          <span className="progress-words">{t("topbar.stopping")}</span>
        </span>
      )}
      {busy && !halted && wanted && status.steps_total > 0 && <ActionButton id="cancel" />}
      {(!wanted || halted) && <ActionButton id="run" text kind="primary" />}
      {(wanted || status.phase !== "stopped") && <ActionButton id="stop" kind="danger" />}
    </>
  );
}
