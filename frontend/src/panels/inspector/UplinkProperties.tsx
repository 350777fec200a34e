import { useTranslation } from "react-i18next";
import { isGranted } from "../../api/types";
import { useFacts } from "../../app/editor";
import { Row } from "../../ui/fields";

/** Whether the way out is open, and until when. */
export function UplinkProperties() {
  const { t, i18n } = useTranslation();
  const grant = useFacts((facts) => facts.lab.uplink);
  const feature = useFacts((facts) => facts.features.uplink);
  const until = grant?.until ?? null;
  const open = isGranted(grant) && feature?.ok !== false;
  return (
    <div className="sec">
      <Row label={t("uplink.grant")}>
        <span className={`state-word ${open ? "ok" : "bad"}`}>
          <span aria-hidden="true">{open ? "● " : "■ "}</span>
          {t(open ? "uplink.granted" : "uplink.closed")}
        </span>
      </Row>
      {open && until !== null && (
        <Row label={t("uplink.until")}>
          <time dateTime={new Date(until * 1000).toISOString()}>
            {new Date(until * 1000).toLocaleString(i18n.language)}
          </time>
        </Row>
      )}
      {open && grant?.reason && <p className="dim small">{grant.reason}</p>}
      {!open && (
        <p className="dim small">
          {feature?.ok === false
            ? `${t("uplink.unsupported")} ${feature.reason}`
            : t("uplink.notGranted")}
        </p>
      )}
      <p className="dim small">{t("uplink.hint")}</p>
    </div>
  );
}
