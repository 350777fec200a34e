import { useEffect, useState } from "react";
import { playable, type RecordingInfo } from "../api/recordings";
import { type Editor, EditorContext } from "../app/editor";
import { showToast } from "../app/messages";
import { Link } from "../app/router";
import { serverText } from "../app/serverText";
import { type Api, ApiError } from "../net/api";
import { fetchRest, openRecording } from "./open";
import type { Player } from "./player";
import { ReplayShell } from "./ReplayShell";
import { useWords } from "./words";

interface Props {
  api: Api;
  at: string; // "/recordings/7" or "/shared/<token>"
  own: number | null; // id of one's own recording; null: somebody has shared it
}

interface Opened {
  editor: Editor;
  player: Player;
  info: RecordingInfo;
}

/** Loads a recording, then plays it where labs are shown. */
export function ReplayPage({ api, at, own }: Props) {
  const { t, i18n } = useWords();
  const [opened, setOpened] = useState<Opened | null>(null);
  const [error, setError] = useState<ApiError | null>(null);

  useEffect(() => {
    let gone = false;
    let stop = () => {};
    const load = async () => {
      const calls = playable(api, at);
      const [info, first] = await Promise.all([calls.info(), calls.content(0)]);
      if (gone) return;
      const { editor, player } = openRecording({ api, calls, own: own !== null, t: i18n.t }, first);
      stop = () => {
        player.destroy();
        editor.session.destroy();
      };
      setOpened({ editor, player, info });
      await fetchRest(calls, player, first.next, () => gone);
    };
    load().catch((reason: unknown) => {
      const failed = reason instanceof ApiError ? reason : new ApiError(0, String(reason));
      if (!gone) setError(failed);
    });
    return () => {
      gone = true;
      stop();
      setOpened(null);
    };
  }, [api, at, own, i18n]);

  // What has come already stays; that the rest is missing is said.
  const partly = opened !== null && error !== null;
  useEffect(() => {
    if (partly) showToast("bad", t("replay.cutShort"));
  }, [partly, t]);
  if (error && !opened) {
    return (
      <main className="page">
        <h1>{t(error.status === 404 ? "replay.missing" : "app.noServer")}</h1>
        {error.status === 404 ? (
          <p>{t(own === null ? "replay.missingShared" : "replay.missingOwn")}</p>
        ) : (
          <p role="alert">{serverText(error.said, t).message}</p>
        )}
        {own !== null && <Link to="/recordings">{t("replay.recordings")}</Link>}
      </main>
    );
  }
  if (!opened) return <output className="page">{t("app.loading")}</output>;
  return (
    <EditorContext value={opened.editor}>
      <ReplayShell api={api} at={at} own={own} player={opened.player} info={opened.info} />
    </EditorContext>
  );
}
