import { useTranslation } from "react-i18next";
import { Icon } from "../ui/Icon";
import { useFacts } from "./editor";

const ENDED = new Set(["stopped", "failed", "cancelled"]);
const SHOWN = 3; // failures

/** Why the lab does not run, where there is something to say: a limit, a restart of the host. */
export function StatusNote() {
  const { t } = useTranslation();
  const { phase, message, failures } = useFacts((facts) => facts.status);
  if (!ENDED.has(phase) || message === "") return null;
  const lines = failures
    .slice(0, SHOWN)
    .map(({ subject, message, hint }) =>
      [subject && `${subject}:`, message, hint].filter(Boolean).join(" "),
    );
  return (
    <section className={`notice ${phase === "failed" ? "storm" : ""}`} aria-label={t("ui.status")}>
      <Icon name={phase === "failed" ? "error" : "warning"} />
      <span>
        <b>{message}</b> {lines.join(" ")}
      </span>
    </section>
  );
}
