import { useCallback, useEffect, useState } from "react";
import { I18nProvider } from "react-aria-components";
import { useTranslation } from "react-i18next";
import { useStore } from "zustand";
import type { SessionInfo } from "../api/types";
import type { Api } from "../net/api";
import { LabsPage } from "../pages/LabsPage";
import { LoginPage } from "../pages/LoginPage";
import { MissingPage } from "../pages/MissingPage";
import { LabPage } from "./LabPage";
import { preferences } from "./preferences";
import { routeOf, usePath } from "./router";

/** Who is signed in decides what the paths show. */
export function App({ api }: { api: Api }) {
  const { t } = useTranslation();
  const language = useStore(preferences, (state) => state.language);
  const [session, setSession] = useState<SessionInfo | null>(null);
  const [error, setError] = useState("");
  const load = useCallback(() => {
    setError("");
    api.session().then(setSession, (reason: Error) => setError(reason.message));
  }, [api]);
  useEffect(load, [load]);
  if (error !== "") {
    return (
      <main className="page">
        <h1>{t("app.noServer")}</h1>
        <p role="alert">{error}</p>
        <button type="button" className="btn" onClick={load}>
          {t("app.again")}
        </button>
      </main>
    );
  }
  if (!session) return <output className="page">{t("app.loading")}</output>;
  return (
    <I18nProvider locale={language}>
      <Page api={api} session={session} onSession={load} />
    </I18nProvider>
  );
}

interface PageProps {
  api: Api;
  session: SessionInfo;
  onSession: () => void; // somebody signed in or out
}

function Page({ api, session, onSession }: PageProps) {
  const route = routeOf(usePath());
  if (!session.user || route.page === "login")
    return <LoginPage api={api} mode={session.mode} onSignedIn={onSession} />;
  if (route.page === "labs") {
    return <LabsPage api={api} session={session} onSignedOut={onSession} />;
  }
  if (route.page === "lab") {
    return <LabPage key={route.id} api={api} id={route.id} features={session.features} />;
  }
  return <MissingPage />;
}
