import "./pages.css";
import { useCallback, useEffect, useState } from "react";
import { useTranslation } from "react-i18next";
import type { Lab } from "../api/types";
import { Link, navigate } from "../app/router";
import type { Api } from "../net/api";

/** One's labs, and a new one. */
export function LabsPage({ api }: { api: Api }) {
  const { t } = useTranslation();
  const [labs, setLabs] = useState<Lab[] | null>(null);
  const [error, setError] = useState("");
  const failed = useCallback((reason: Error) => setError(reason.message), []);
  useEffect(() => {
    api.labs().then(setLabs, failed);
  }, [api, failed]);
  const create = () => {
    const name = t("pages.newLabName");
    api.createLab({ name }).then((lab) => navigate(`/labs/${lab.id}`), failed);
  };
  return (
    <main className="page">
      <h1>{t("pages.labs")}</h1>
      {error !== "" && <p role="alert">{error}</p>}
      <button type="button" className="btn primary" onClick={create}>
        {t("pages.newLab")}
      </button>
      <ul>
        {labs?.map((lab) => (
          <li key={lab.id}>
            <Link to={`/labs/${lab.id}`}>{lab.name || t("topbar.unnamed")}</Link>
          </li>
        ))}
      </ul>
    </main>
  );
}
