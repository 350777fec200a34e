import { lazy, Suspense, useCallback, useEffect, useState } from "react";
import { I18nProvider } from "react-aria-components";
import { useTranslation } from "react-i18next";
import { useStore } from "zustand";
import type { SessionInfo } from "../api/types";
import type { Api } from "../net/api";
import { LabPage } from "./LabPage";
import { preferences } from "./preferences";
import { RecordingsPage, ReplayPage } from "./recordings";
import { routeOf, usePath } from "./router";

const loadPages = () => import("../pages/index");
const LabsPage = lazy(async () => ({ default: (await loadPages()).LabsPage }));
const LoginPage = lazy(async () => ({ default: (await loadPages()).LoginPage }));
const MissingPage = lazy(async () => ({ default: (await loadPages()).MissingPage }));

// While the server is asked who is signed in.
if (routeOf(location.pathname).page !== "lab") void loadPages();

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
      <Suspense fallback={<output className="page">{t("app.loading")}</output>}>
        <Page api={api} session={session} onSession={load} />
      </Suspense>
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
  if (route.page === "shared") {
    return <ReplayPage key={route.token} api={api} at={`/shared/${route.token}`} own={null} />;
  }
  if (!session.user || route.page === "login")
    return <LoginPage api={api} mode={session.mode} onSignedIn={onSession} />;
  if (route.page === "labs") {
    return <LabsPage api={api} session={session} onSignedOut={onSession} />;
  }
  if (route.page === "lab") {
    return <LabPage key={route.id} api={api} id={route.id} features={session.features} />;
  }
  if (route.page === "recordings") return <RecordingsPage api={api} />;
  if (route.page === "recording") {
    return <ReplayPage key={route.id} api={api} at={`/recordings/${route.id}`} own={route.id} />;
  }
  return <MissingPage />;
}
