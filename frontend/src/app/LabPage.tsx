import { useEffect, useState } from "react";
import { useTranslation } from "react-i18next";
import type { Feature } from "../api/types";
import { type Api, ApiError } from "../net/api";
import { LabSession } from "../net/session";
import { EditorShell } from "./EditorShell";
import { Editor, EditorContext } from "./editor";
import { Link } from "./router";
import { serverText } from "./serverText";
import { connectMessages } from "./sessionMessages";

interface Props {
  api: Api;
  id: number;
  features: Record<string, Feature>;
}

/** Loads a lab, then opens the editor on it. */
export function LabPage({ api, id, features }: Props) {
  const { t, i18n } = useTranslation();
  const [editor, setEditor] = useState<Editor | null>(null);
  const [error, setError] = useState<ApiError | null>(null);

  useEffect(() => {
    let gone = false;
    let stop = () => {};
    const load = async () => {
      const calls = api.forLab(id);
      const [lab, snapshot] = await Promise.all([api.lab(id), calls.document()]);
      if (gone) return;
      const session = new LabSession({ lab, snapshot, api: calls, features });
      const made = new Editor(session, i18n.t);
      const quiet = connectMessages(made);
      session.start();
      stop = () => {
        quiet();
        session.destroy();
      };
      setEditor(made);
    };
    load().catch((reason) => {
      if (!gone) setError(reason instanceof ApiError ? reason : new ApiError(0, String(reason)));
    });
    return () => {
      gone = true;
      stop();
      setEditor(null);
    };
  }, [api, id, features, i18n]);

  if (error) {
    return (
      <main className="page">
        <h1>{t(error.status === 404 ? "app.noLab" : "app.noServer")}</h1>
        {error.status !== 404 && <p role="alert">{serverText(error.said, t).message}</p>}
        <Link to="/">{t("topbar.labs")}</Link>
      </main>
    );
  }
  if (!editor) return <output className="page">{t("app.loading")}</output>;
  return (
    <EditorContext value={editor}>
      <EditorShell />
    </EditorContext>
  );
}
