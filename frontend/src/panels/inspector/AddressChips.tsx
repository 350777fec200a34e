import { useId, useRef, useState } from "react";
import { useTranslation } from "react-i18next";
import { Icon } from "../../ui/Icon";
import { prefixProblem } from "./addresses";

interface Props {
  label: string;
  value: readonly string[];
  onChange: (addresses: string[]) => void;
}

/** Addresses as chips; a new one is typed behind them and checked on Enter and on leaving. */
export function AddressChips({ label, value, onChange }: Props) {
  const { t } = useTranslation();
  const id = useId();
  const [text, setText] = useState("");
  const [error, setError] = useState<string | null>(null);
  const input = useRef<HTMLInputElement>(null);

  const commit = () => {
    const next = text.trim();
    if (next === "") {
      setError(null);
      return;
    }
    const reason = value.includes(next) ? "fields.addressTwice" : prefixProblem(next);
    setError(reason);
    if (reason !== null) return;
    setText("");
    onChange([...value, next]);
  };

  const removeAt = (at: number) => {
    onChange(value.filter((_, index) => index !== at));
    input.current?.focus();
  };

  return (
    // biome-ignore lint/a11y/useSemanticElements: a fieldset cannot be laid out as a flex line
    <div className="chips" role="group" aria-label={label}>
      {value.map((address, at) => (
        <span key={address} className="chip mono">
          {address}
          <button
            type="button"
            aria-label={t("fields.removeAddress", { address })}
            onClick={() => removeAt(at)}
          >
            <Icon name="close" size={11} />
          </button>
        </span>
      ))}
      <input
        ref={input}
        className="input mono"
        aria-label={t("fields.addAddress")}
        aria-invalid={error !== null}
        {...(error === null ? {} : { "aria-describedby": `${id}-error` })}
        placeholder={value.length === 0 ? "10.0.0.1/24" : "+"}
        value={text}
        onChange={(event) => setText(event.target.value)}
        onBlur={commit}
        onKeyDown={(event) => {
          if (event.key === "Enter") commit();
          if (event.key === "Escape") {
            setText("");
            setError(null);
          }
          if (event.key === "Backspace" && text === "" && value.length > 0) {
            removeAt(value.length - 1);
          }
        }}
      />
      {error !== null && (
        <span className="field-error" id={`${id}-error`} role="alert">
          {t(error)}
        </span>
      )}
    </div>
  );
}
