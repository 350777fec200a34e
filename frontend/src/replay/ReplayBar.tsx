import "../panels/topbar/topbar.css";
import { useEffect, useState } from "react";
import { useStore } from "zustand";
import type { RecordingInfo } from "../api/recordings";
import { prefer, preferences } from "../app/preferences";
import { Link } from "../app/router";
import type { Api } from "../net/api";
import { formatElapsed } from "../panels/dock/time";
import { Button } from "../ui/Button";
import { Icon, Logo } from "../ui/Icon";
import { ShareDialog } from "./ShareDialog";
import { useWords } from "./words";

interface Props {
  api: Api;
  at: string;
  own: number | null;
  info: RecordingInfo;
}

/** Whose recording it is, and what may be done with it. */
export function ReplayBar({ api, at, own, info }: Props) {
  const { t } = useWords();
  const { theme, language } = useStore(preferences);
  const [sharing, setSharing] = useState(false);
  const { name, began, ended } = info;
  useEffect(() => {
    document.title = `${name} · topoweb`;
    return () => {
      document.title = "topoweb";
    };
  }, [name]);
  return (
    <header className="topbar">
      <Link to="/" className="brand" label={t("topbar.home")}>
        <Logo />
        <span className="brand-name">topoweb</span>
      </Link>
      <nav className="crumb" aria-label={t("topbar.breadcrumb")}>
        {own !== null && (
          <>
            <Link to="/recordings" className="crumb-link">
              {t("replay.recordings")}
            </Link>
            <span className="slash" aria-hidden="true">
              /
            </span>
          </>
        )}
        <h1 className="replay-name">{name}</h1>
      </nav>
      <span className="pill">
        <Icon name="play" />
        {t("replay.recording")} <span className="mono">{formatElapsed(ended - began)}</span>
      </span>
      {own === null && <span className="pill warn">{t("replay.readOnly")}</span>}
      <span className="spring" />
      {own !== null && (
        <Button label={t("replay.share")} icon="link" onPress={() => setSharing(true)}>
          {t("replay.share")}
        </Button>
      )}
      <a className="btn" href={`/api/v1${at}/file`} download>
        <Icon name="download" />
        {t("replay.download")}
      </a>
      <a className="btn" href={`/api/v1${at}/pcap`} download>
        pcapng
      </a>
      <Button
        label={t("actions.language")}
        icon="language"
        onPress={() => prefer({ language: language === "en" ? "zh-CN" : "en" })}
      />
      <Button
        label={t("actions.theme")}
        icon={theme === "dark" ? "sun" : "moon"}
        onPress={() => prefer({ theme: theme === "dark" ? "light" : "dark" })}
      />
      {sharing && own !== null && (
        <ShareDialog api={api} recording={own} onClose={() => setSharing(false)} />
      )}
    </header>
  );
}
