/** Form rows of the inspector: each commits on blur or Enter, and Escape puts the old value back. */

import { type ReactNode, useEffect, useId, useRef, useState } from "react";
import { Checkbox } from "react-aria-components";
import { Icon } from "./Icon";

interface RowProps {
  label: string;
  id?: string;
  error?: string | null;
  errorId?: string;
  children: ReactNode;
}

export function Row({ label, id, error, errorId, children }: RowProps) {
  return (
    <div className="field">
      {id ? <label htmlFor={id}>{label}</label> : <span className="label">{label}</span>}
      {children}
      {error && (
        <span className="field-error" id={errorId} role="alert">
          {error}
        </span>
      )}
    </div>
  );
}

interface TextRowProps {
  label: string;
  value: string;
  /** The reason why a text cannot be taken; null when it can. */
  validate?: (text: string) => string | null;
  onCommit: (text: string) => void;
  placeholder?: string;
  mono?: boolean;
  multiline?: boolean;
  rows?: number; // of a multiline field
  numeric?: boolean;
  autoFocus?: boolean;
}

/** The draft of a text field: what is typed, why it is wrong, and the handlers to commit it. */
export function useDraft(
  value: string,
  validate: ((text: string) => string | null) | undefined,
  onCommit: (text: string) => void,
) {
  const [text, setText] = useState(value);
  const [error, setError] = useState<string | null>(null);
  const shown = useRef(value);
  useEffect(() => {
    // Somebody else changed it, or the commit came back: show that.
    if (shown.current !== value) {
      shown.current = value;
      setText(value);
      setError(null);
    }
  }, [value]);
  const commit = () => {
    const next = text.trim();
    if (next === value) {
      setText(value);
      setError(null);
      return;
    }
    const reason = validate?.(next) ?? null;
    setError(reason);
    if (reason === null) onCommit(next);
  };
  const revert = () => {
    setText(value);
    setError(null);
  };
  return { text, error, setText, setError, commit, revert };
}

export function TextRow(props: TextRowProps) {
  const { label, value, validate, onCommit } = props;
  const id = useId();
  const draft = useDraft(value, validate, onCommit);
  const shared = {
    id,
    className: props.mono ? "input mono" : "input",
    value: draft.text,
    placeholder: props.placeholder,
    "aria-invalid": draft.error !== null,
    ...(draft.error === null ? {} : { "aria-describedby": `${id}-error` }),
    onBlur: draft.commit,
  };
  return (
    <Row label={label} id={id} error={draft.error} errorId={`${id}-error`}>
      {props.multiline ? (
        <textarea
          {...shared}
          rows={props.rows ?? 4}
          onChange={(event) => draft.setText(event.target.value)}
          onKeyDown={(event) => {
            if (event.key === "Escape") draft.revert();
            if (event.key !== "Enter" || !(event.ctrlKey || event.metaKey)) return;
            event.preventDefault(); // elsewhere these keys run the lab
            draft.commit();
          }}
        />
      ) : (
        <input
          {...shared}
          {...(props.numeric ? { inputMode: "numeric" as const } : {})}
          onChange={(event) => draft.setText(event.target.value)}
          onKeyDown={(event) => {
            if (event.key === "Enter") draft.commit();
            if (event.key === "Escape") draft.revert();
          }}
        />
      )}
    </Row>
  );
}

interface NumberRowProps {
  label: string;
  value: number;
  min: number;
  max: number;
  message: string;
  onCommit: (value: number) => void;
}

export function NumberRow({ label, value, min, max, message, onCommit }: NumberRowProps) {
  const check = (text: string) => {
    const number = Number(text);
    return /^\d+$/.test(text) && number >= min && number <= max ? null : message;
  };
  return (
    <TextRow
      label={label}
      value={String(value)}
      validate={check}
      onCommit={(text) => onCommit(Number(text))}
      mono
      numeric
    />
  );
}

interface CheckProps {
  label: string;
  checked: boolean | "mixed";
  disabled?: boolean;
  onChange: (checked: boolean) => void;
}

export function Check({ label, checked, disabled, onChange }: CheckProps) {
  return (
    <Checkbox
      className="check"
      isSelected={checked === true}
      isIndeterminate={checked === "mixed"}
      isDisabled={disabled ?? false}
      onChange={onChange}
    >
      <span className="box">
        {checked === "mixed" ? (
          <Icon name="minus" className="check-mark" />
        ) : (
          checked && <Icon name="check" className="check-mark" />
        )}
      </span>
      {label}
    </Checkbox>
  );
}

interface SelectRowProps {
  label: string;
  value: string;
  options: readonly (readonly [value: string, text: string])[];
  onChange: (value: string) => void;
}

/** The browser's own select: small, quick by keyboard, right on every device. */
export function SelectRow({ label, value, options, onChange }: SelectRowProps) {
  const id = useId();
  return (
    <Row label={label} id={id}>
      <select
        id={id}
        className="input"
        value={value}
        onChange={(event) => onChange(event.target.value)}
      >
        {options.map(([key, text]) => (
          <option key={key} value={key}>
            {text}
          </option>
        ))}
      </select>
    </Row>
  );
}
