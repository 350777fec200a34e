import { useEffect, useState } from "react";
import type { Kept, Recording } from "../api/recordings";
import { useEditor, useLab } from "../app/editor";
import { showToast } from "../app/messages";
import { navigate } from "../app/router";
import { formatElapsed } from "../panels/dock/time";
import { Button } from "../ui/Button";
import { Modal } from "../ui/Modal";
import { told } from "./told";
import { useWords } from "./words";

const SPANS = [30, 60, 300, 600] as const; // s
const MINUTES = [5, 15, 30] as const;
const PERIOD = 2_000; // ms

/** Save what was seen of this lab in the last minutes, and keep its capture on meanwhile. */
export function SaveDialog({ onClose }: { onClose: () => void }) {
  const { t, i18n } = useWords();
  const editor = useEditor();
  const { api } = useLab();
  const { kept, take } = useKept();
  const [name, setName] = useState("");
  const [seconds, setSeconds] = useState<number | null>(null);
  const [minutes, setMinutes] = useState<number>(15);
  const [busy, setBusy] = useState(false);
  const nothing = kept !== null && kept.seconds <= 0;
  const save = async () => {
    setBusy(true);
    const body = { name: name.trim(), seconds };
    const made = await told(() => api.ask<Recording>("POST", "/recordings", body));
    setBusy(false);
    if (!made) return;
    onClose();
    showToast("ok", t("replay.saved", { name: made.name }));
    navigate(`/recordings/${made.id}`);
  };
  const keep = () => told(() => api.ask<Kept>("POST", "/recording", { minutes })).then(take);
  const leave = () =>
    told(() => api.ask("DELETE", "/recording"))
      .then(() => told(() => api.ask<Kept>("GET", "/recording")))
      .then(take);
  return (
    <Modal
      title={t("replay.saveTitle")}
      onClose={onClose}
      footer={
        <Button
          label={t("replay.save")}
          kind="primary"
          disabledReason={nothing ? t("replay.nothingKept") : busy ? t("replay.saving") : null}
          onPress={() => void save()}
        >
          {t(busy ? "replay.saving" : "replay.save")}
        </Button>
      }
    >
      <p role="status">
        {kept === null
          ? t("app.loading")
          : nothing
            ? t("replay.nothingKept")
            : t("replay.keptSoFar", {
                span: formatElapsed(kept.seconds),
                count: kept.packets,
              })}
      </p>
      <label className="replay-field">
        {t("replay.name")}
        <input
          className="input"
          value={name}
          maxLength={120}
          placeholder={editor.topology.name}
          onChange={(event) => setName(event.target.value)}
        />
      </label>
      <label className="replay-field">
        {t("replay.howMuch")}
        <select
          className="input"
          value={seconds ?? ""}
          onChange={(event) => setSeconds(Number(event.target.value) || null)}
        >
          <option value="">{t("replay.all")}</option>
          {SPANS.map((one) => (
            <option key={one} value={one}>
              {t("replay.last", { span: formatElapsed(one).slice(0, -4) })}
            </option>
          ))}
        </select>
      </label>
      <fieldset className="replay-keep">
        <legend>{t("replay.keep")}</legend>
        <p className="dim">{t("replay.keepText")}</p>
        {kept?.kept && (
          <p role="status">
            {t("replay.keptUntil", {
              time: new Date(kept.kept.until * 1_000).toLocaleTimeString(i18n.language),
              user: kept.kept.user,
            })}
          </p>
        )}
        <div className="replay-row">
          <select
            className="input"
            aria-label={t("replay.minutes")}
            value={minutes}
            onChange={(event) => setMinutes(Number(event.target.value))}
          >
            {MINUTES.map((count) => (
              <option key={count} value={count}>
                {t("replay.minuteCount", { count })}
              </option>
            ))}
          </select>
          <Button label={t("replay.keepOn")} onPress={() => void keep()}>
            {t("replay.keepOn")}
          </Button>
          {kept?.kept && (
            <Button label={t("replay.keepOff")} onPress={() => void leave()}>
              {t("replay.keepOff")}
            </Button>
          )}
        </div>
      </fieldset>
    </Modal>
  );
}

/** How much can be saved now; asked for again while one looks. */
function useKept() {
  const { api } = useLab();
  const [kept, setKept] = useState<Kept | null>(null);
  useEffect(() => {
    let gone = false;
    const ask = () =>
      api.ask<Kept>("GET", "/recording").then(
        (now) => {
          if (!gone) setKept(now);
        },
        () => {}, // asked again in a moment
      );
    void ask();
    const timer = setInterval(ask, PERIOD);
    return () => {
      gone = true;
      clearInterval(timer);
    };
  }, [api]);
  return { kept, take: (now: Kept | undefined) => now && setKept(now) };
}
