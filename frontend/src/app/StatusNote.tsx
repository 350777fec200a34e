import { useTranslation } from "react-i18next";
import { Icon } from "../ui/Icon";
import { useFacts } from "./editor";
import { failureLine, serverText } from "./serverText";

const ENDED = new Set(["stopped", "failed", "cancelled"]);
const SHOWN = 3; // failures

/** Why the lab does not run, where there is something to say: a limit, a restart of the host. */
export function StatusNote() {
  const { t } = useTranslation();
  const status = useFacts((facts) => (ENDED.has(facts.status.phase) ? facts.status : null));
  if (!status || status.message === "") return null;
  const { phase, failures } = status;
  const lines = failures.slice(0, SHOWN).map((failure) => failureLine(failure, t));
  return (
    <section className={`notice ${phase === "failed" ? "storm" : ""}`} aria-label={t("ui.status")}>
      <Icon name={phase === "failed" ? "error" : "warning"} />
      <span>
        <b>{serverText(status, t).message}</b> {lines.join(" ")}
      </span>
    </section>
  );
}
