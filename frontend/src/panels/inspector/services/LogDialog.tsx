import { useEffect, useRef } from "react";
import { useTranslation } from "react-i18next";
import { useLab } from "../../../app/editor";
import { serverText } from "../../../app/serverText";
import { usePolled } from "../../../app/usePolled";
import { Modal } from "../../../ui/Modal";

const PERIOD = 2_000; // ms

interface Props {
  service: string;
  name: string;
  onClose: () => void;
}

/** What a service has said lately, newest at the end; it follows while it is open. */
export function LogDialog({ service, name, onClose }: Props) {
  const { t } = useTranslation();
  const { api } = useLab();
  const { value, error } = usePolled(service, () => api.serviceLog(service), PERIOD);
  const box = useRef<HTMLPreElement>(null);
  const text = value?.text ?? "";
  // biome-ignore lint/correctness/useExhaustiveDependencies: new text is what scrolls
  useEffect(() => {
    const element = box.current;
    if (element) element.scrollTop = element.scrollHeight;
  }, [text]);
  return (
    <Modal title={t("services.logOf", { name })} onClose={onClose}>
      {error && (
        <p className="warn-text" role="alert">
          {serverText(error.said, t).message}
        </p>
      )}
      {value === null && !error && <output className="dim">{t("app.loading")}</output>}
      {value !== null && text === "" && <p className="dim">{t("services.logEmpty")}</p>}
      {text !== "" && (
        <pre
          ref={box}
          className="service-log mono"
          role="log"
          aria-label={t("services.log")}
          // biome-ignore lint/a11y/noNoninteractiveTabindex: long text is scrolled by keys
          tabIndex={0}
        >
          {text}
        </pre>
      )}
    </Modal>
  );
}
