import "../panels/topbar/topbar.css";
import { useState } from "react";
import type { RecordingInfo } from "../api/recordings";
import { Link } from "../app/router";
import type { Api } from "../net/api";
import { LookButtons, useTabTitle } from "../pages/PageLook";
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
  const [sharing, setSharing] = useState(false);
  const { name, began, ended } = info;
  useTabTitle(name);
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
      <LookButtons />
      {sharing && own !== null && (
        <ShareDialog api={api} recording={own} onClose={() => setSharing(false)} />
      )}
    </header>
  );
}
