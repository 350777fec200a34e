import { useTranslation } from "react-i18next";
import { Link } from "../app/router";
import { PageFrame } from "./PageFrame";

/** A path that leads nowhere. */
export function MissingPage() {
  const { t } = useTranslation();
  return (
    <PageFrame title={t("app.noPage")}>
      <section className="page-note">
        <svg viewBox="0 0 220 80" width="220" height="80" className="broken" aria-hidden="true">
          <rect x="2" y="16" width="48" height="48" rx="13" />
          <rect x="170" y="16" width="48" height="48" rx="13" className="ghost" />
          <path d="M50 40h44" />
          <path d="M126 40h44" className="ghost" />
          <path d="m103 33 14 14m0-14-14 14" className="cross" />
        </svg>
        <h1>{t("app.noPage")}</h1>
        <p className="dim">{t("pages.missing")}</p>
        <Link to="/" className="btn primary">
          {t("pages.toLabs")}
        </Link>
      </section>
    </PageFrame>
  );
}
