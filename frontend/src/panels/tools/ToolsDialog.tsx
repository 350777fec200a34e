import "./tools.css";
import { useTranslation } from "react-i18next";
import type { Tool } from "../../api/types";
import { useLab } from "../../app/editor";
import { serverText } from "../../app/serverText";
import { usePolled } from "../../app/usePolled";
import { Modal } from "../../ui/Modal";

const PERIOD = 30_000; // ms: somebody may be installing what is missing

/** The programs that nodes may use, and the packages of those that this host lacks. */
export function ToolsDialog({ onClose }: { onClose: () => void }) {
  const { t } = useTranslation();
  const { api } = useLab();
  const { value, error } = usePolled("tools", () => api.tools(), PERIOD);
  return (
    <Modal title={t("services.tools")} onClose={onClose} reading>
      <p className="dim">{t("services.toolsHint")}</p>
      {error && (
        <p className="warn-text" role="alert">
          {serverText(error.said, t).message}
        </p>
      )}
      {value === null && !error && <output className="dim">{t("app.loading")}</output>}
      {value && <ToolList tools={value.tools} />}
    </Modal>
  );
}

function ToolList({ tools }: { tools: Tool[] }) {
  const { t } = useTranslation();
  const missing = tools.filter(({ ok }) => !ok);
  const packages = [...new Set(missing.map((tool) => tool.package))];
  return (
    <>
      {missing.length === 0 ? (
        <p>{t("services.toolsComplete")}</p>
      ) : (
        <>
          <p>{t("services.toolsMissing")}</p>
          <pre className="mono install-line">apt install {packages.join(" ")}</pre>
        </>
      )}
      <ul className="tool-list" aria-label={t("services.tools")}>
        {tools.map(({ program, ok }) => (
          <li key={program} className="mono">
            <span className={`state-word ${ok ? "ok" : "bad"}`} aria-hidden="true">
              {ok ? "●" : "■"}
            </span>{" "}
            {program}
            <span className={ok ? "hidden-text" : "state-word bad"}>
              {" "}
              {t(ok ? "services.toolThere" : "services.toolMissing")}
            </span>
          </li>
        ))}
      </ul>
    </>
  );
}
