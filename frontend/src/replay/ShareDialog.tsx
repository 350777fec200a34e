import { useEffect, useRef, useState } from "react";
import { type Recording, recordings } from "../api/recordings";
import { showToast } from "../app/messages";
import type { Api } from "../net/api";
import { Button } from "../ui/Button";
import { Modal } from "../ui/Modal";
import { formatDate } from "./format";
import { told } from "./told";
import { useWords } from "./words";

const DAYS = [1, 7, 30, 90] as const;

interface Props {
  api: Api;
  recording: number;
  onClose: () => void;
}

/** A link under which anybody may look at a recording, until it ends or is taken back. */
export function ShareDialog({ api, recording, onClose }: Props) {
  const { t, i18n } = useWords();
  const [days, setDays] = useState<number>(7);
  const [link, setLink] = useState("");
  const [until, setUntil] = useState<number | null>(null);
  const [copied, setCopied] = useState(false);
  const field = useRef<HTMLInputElement>(null);
  const calls = recordings(api);
  useEffect(() => {
    api.call<Recording>("GET", `/recordings/${recording}`).then(
      ({ shared }) => setUntil((known) => known ?? shared?.until ?? null),
      () => {}, // the dialog works without: a new link replaces an old one
    );
  }, [api, recording]);
  useEffect(() => {
    if (link !== "") field.current?.select();
  }, [link]);
  const share = async () => {
    const made = await told(() => calls.share(recording, days));
    if (!made) return;
    setLink(new URL(made.url, location.href).href);
    setUntil(made.until);
    setCopied(false);
  };
  const revoke = async () => {
    const gone = await told(async () => {
      await calls.unshare(recording);
      return true;
    });
    if (!gone) return;
    setLink("");
    setUntil(null);
    showToast("ok", t("replay.revoked"));
  };
  const copy = async () => {
    field.current?.select();
    await navigator.clipboard.writeText(link);
    setCopied(true);
  };
  return (
    <Modal
      title={t("replay.shareTitle")}
      onClose={onClose}
      footer={
        <>
          {until !== null && (
            <Button label={t("replay.revoke")} kind="danger" onPress={() => void revoke()}>
              {t("replay.revoke")}
            </Button>
          )}
          <Button label={t("replay.makeLink")} kind="primary" onPress={() => void share()}>
            {t(until === null ? "replay.makeLink" : "replay.newLink")}
          </Button>
        </>
      }
    >
      <p>{t("replay.shareText")}</p>
      <label className="replay-field">
        {t("replay.days")}
        <select
          className="input"
          value={days}
          onChange={(event) => setDays(Number(event.target.value))}
        >
          {DAYS.map((count) => (
            <option key={count} value={count}>
              {t("replay.dayCount", { count })}
            </option>
          ))}
        </select>
      </label>
      {link !== "" && (
        <div className="replay-link">
          <input
            ref={field}
            className="input mono"
            readOnly
            aria-label={t("replay.link")}
            value={link}
          />
          <Button
            label={t("replay.copyLink")}
            icon={copied ? "check" : "copy"}
            onPress={() => void copy()}
          >
            {t(copied ? "replay.copied" : "replay.copyLink")}
          </Button>
        </div>
      )}
      {until !== null && (
        <p className="dim">
          {t(link === "" ? "replay.sharedUntil" : "replay.linkUntil", {
            date: formatDate(until, i18n.language),
          })}
        </p>
      )}
    </Modal>
  );
}
