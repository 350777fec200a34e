import { useState } from "react";
import { useTranslation } from "react-i18next";
import { useStore } from "zustand";
import { Button } from "../ui/Button";
import { Icon } from "../ui/Icon";
import { useFacts, useLab } from "./editor";
import { dismissToast, spoken, toasts } from "./messages";

export function Toasts() {
  const { t } = useTranslation();
  const list = useStore(toasts, (state) => state.list);
  return (
    <section className="toasts" aria-label={t("ui.messages")}>
      {list.map((toast) => (
        <div
          key={toast.id}
          className={`toast ${toast.tone}`}
          role={toast.tone === "bad" ? "alert" : "status"}
        >
          <Icon
            name={toast.tone === "bad" ? "error" : "check"}
            className={`toast-icon ${toast.tone}`}
          />
          <div>
            <b>{toast.title}</b>
            {toast.details.length > 0 && (
              <ul>
                {toast.details.map((line) => (
                  <li key={line}>{line}</li>
                ))}
              </ul>
            )}
          </div>
          <Button
            label={t("ui.close")}
            icon="close"
            kind="bare"
            small
            onPress={() => dismissToast(toast.id)}
          />
        </div>
      ))}
    </section>
  );
}

export function LiveRegion() {
  const text = useStore(spoken, (state) => state.text);
  return (
    <div className="hidden-text" role="status" aria-live="polite">
      {text}
    </div>
  );
}

const SEEN = "topoweb.seenFeatures";

function unseen(names: string[]): string[] {
  const seen = new Set((localStorage.getItem(SEEN) ?? "").split(","));
  return names.filter((name) => !seen.has(name));
}

/** What a lab needs today; the others are announced when the product begins to use them. */
const NEEDED = ["userns", "netns", "veth", "bridge", "af_packet", "ipv6", "sandbox"];

/** Processes that are away, and, once for each browser, what this host cannot do. */
export function Notices() {
  const { t } = useTranslation();
  const lab = useLab();
  const notices = useFacts((facts) => facts.notices);
  const features = useFacts((facts) => facts.features);
  const [missing, setMissing] = useState(() =>
    unseen(NEEDED.filter((name) => features[name]?.ok === false)),
  );
  const dismiss = () => {
    const seen = (localStorage.getItem(SEEN) ?? "").split(",").filter(Boolean);
    localStorage.setItem(SEEN, [...seen, ...missing].join(","));
    setMissing([]);
  };
  return (
    <>
      {notices.map((notice) => (
        <div key={`${notice.code} ${notice.stream}`} className="notice" role="status">
          <Icon name="warning" />
          <span>
            {t(`notice.${notice.code}.${notice.stream ?? "any"}`, { defaultValue: notice.message })}
          </span>
          <Button
            label={t("ui.close")}
            icon="close"
            kind="bare"
            small
            onPress={() => lab.dismissNotice(notice)}
          />
        </div>
      ))}
      {missing.length > 0 && (
        <div className="notice" role="status">
          <Icon name="warning" />
          <span>
            {t("notice.features")}{" "}
            {missing
              .map((name) => t(`feature.${name}`, { defaultValue: features[name]?.reason ?? name }))
              .join(" ")}
          </span>
          <Button label={t("notice.understood")} kind="bare" small onPress={dismiss}>
            {t("notice.understood")}
          </Button>
        </div>
      )}
    </>
  );
}
