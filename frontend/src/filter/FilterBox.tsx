import { type KeyboardEvent, useEffect, useId, useRef, useState } from "react";
import { Popover } from "react-aria-components";
import { useStore } from "zustand";
import type { FilterError } from "../api/filters";
import { useLab } from "../app/editor";
import { announce } from "../app/messages";
import type { DockModel } from "../panels/dock/dockModel";
import { Button } from "../ui/Button";
import { Icon } from "../ui/Icon";
import { useCheck, useFields } from "./check";
import { accepted, type Suggestion, said, suggest, unitsAt } from "./expression";
import { recentFilters, remember } from "./recent";
import { useWords } from "./words";

/** A display filter over the packets: checked as it is typed, applied by Enter. */
export function FilterBox({ dock }: { dock: DockModel }) {
  const { t, i18n } = useWords();
  const { api } = useLab();
  const applied = useStore(dock.state, (state) => state.filter.expression);
  const [text, setText] = useState(applied);
  const [caret, setCaret] = useState(0);
  const [open, setOpen] = useState(false);
  const [active, setActive] = useState(-1);
  const box = useRef<HTMLInputElement>(null);
  const [list, message] = [useId(), useId()];
  const fields = useFields(api);
  const checked = useCheck(api, text);
  const fresh = checked?.of === text ? checked : null;
  const error = fresh?.check.error ?? null;
  const offers = offersFor(text, caret, error, fields, i18n.language);
  useEffect(() => setText(applied), [applied]);
  const change = (next: string, at: number) => {
    setText(next);
    setCaret(at);
    setOpen(true);
    setActive(-1);
  };
  const accept = (one: Suggestion) => {
    const next = accepted(text, one);
    change(next.text, next.caret);
    requestAnimationFrame(() => box.current?.setSelectionRange(next.caret, next.caret));
  };
  const apply = async () => {
    const { check } = fresh ?? { check: await api.checkFilter(text) };
    if (!check.ok) {
      setOpen(true);
      if (check.error) announce(said(check.error.text, i18n.language));
      return;
    }
    setOpen(false);
    remember(text);
    dock.express(text.trim());
  };
  const keys = (event: KeyboardEvent) => {
    const one = offers[active];
    if (event.key === "ArrowDown" || event.key === "ArrowUp") {
      setOpen(true);
      const by = event.key === "ArrowDown" ? 1 : -1;
      setActive(Math.max(-1, Math.min(offers.length - 1, active + by)));
    } else if ((event.key === "Enter" || event.key === "Tab") && open && one) {
      accept(one);
    } else if (event.key === "Enter") {
      void apply();
    } else if (event.key === "Escape" && open) {
      setOpen(false);
    } else if (event.key === "Escape" && text !== "") {
      setText("");
      dock.express("");
    } else return;
    event.preventDefault();
    event.stopPropagation();
  };
  const shown = open && (offers.length > 0 || error !== null);
  const tone = fresh === null || text.trim() === "" ? "" : error ? " bad" : " good";
  return (
    <div className={`filter-box${tone}`}>
      <Icon name="filter" />
      <input
        ref={box}
        className="mono"
        role="combobox"
        aria-label={t("filter.label")}
        aria-expanded={shown && offers.length > 0}
        aria-controls={list}
        aria-autocomplete="list"
        aria-invalid={error !== null}
        aria-describedby={error ? message : undefined}
        aria-activedescendant={shown && active >= 0 ? `${list}-${active}` : undefined}
        placeholder={t("filter.placeholder")}
        spellCheck={false}
        autoComplete="off"
        maxLength={512}
        value={text}
        onChange={({ target }) => change(target.value, target.selectionStart ?? 0)}
        onSelect={({ currentTarget }) => setCaret(currentTarget.selectionStart ?? 0)}
        onFocus={() => setOpen(true)}
        onBlur={() => setOpen(false)}
        onKeyDown={keys}
      />
      {text !== applied && error === null && (
        <Button label={t("filter.apply")} shortcut="↩" small onPress={() => void apply()}>
          {t("filter.apply")}
        </Button>
      )}
      {(text !== "" || applied !== "") && (
        <Button
          label={t("packets.clearFilter")}
          icon="close"
          kind="bare"
          small
          onPress={() => {
            setText("");
            dock.express("");
          }}
        />
      )}
      <Popover
        className="popover filter-help"
        triggerRef={box}
        isOpen={shown}
        isNonModal
        placement="top start"
        offset={7}
        aria-label={t("filter.suggestions")}
      >
        {error && <Wrong id={message} text={text} error={error} />}
        {offers.length > 0 && (
          <Offers id={list} offers={offers} active={active} recent={text === ""} onPick={accept} />
        )}
      </Popover>
    </div>
  );
}

/** What is suggested: recent filters for an empty box, what mends a mistake, what may come here. */
function offersFor(
  text: string,
  caret: number,
  error: FilterError | null,
  fields: Parameters<typeof suggest>[2],
  language: string,
): Suggestion[] {
  if (text === "") return recentFilters().map((one) => ({ text: one, about: "", from: 0, to: 0 }));
  const typed = suggest(text, caret, fields, language);
  if (typed.length > 0 || !error) return typed;
  const from = unitsAt(text, error.position);
  const to = unitsAt(text, error.position + error.length);
  return error.suggestions.map((one) => ({ text: one, about: "", from, to }));
}

/** The mistake, where it stands, and what would help. */
function Wrong({ id, text, error }: { id: string; text: string; error: FilterError }) {
  const { t, i18n } = useWords();
  const from = unitsAt(text, error.position);
  const to = unitsAt(text, error.position + error.length);
  const hint = said(error.hint, i18n.language);
  return (
    <div id={id} className="filter-wrong" role="status">
      <p className="mono filter-place">
        {text.slice(0, from)}
        <mark>{text.slice(from, to) || "‸"}</mark>
        {text.slice(to)}
      </p>
      <p>
        <b>{t("filter.at", { place: error.position + 1 })}</b> {said(error.text, i18n.language)}{" "}
        {hint}
      </p>
    </div>
  );
}

interface OffersProps {
  id: string;
  offers: readonly Suggestion[];
  active: number;
  recent: boolean;
  onPick: (one: Suggestion) => void;
}

function Offers({ id, offers, active, recent, onPick }: OffersProps) {
  const { t } = useWords();
  return (
    <div
      id={id}
      role="listbox"
      className="menu"
      aria-label={t(recent ? "filter.recent" : "filter.suggestions")}
    >
      {offers.map((one, index) => (
        // biome-ignore lint/a11y/useFocusableInteractive: the box holds the focus
        // biome-ignore lint/a11y/useKeyWithClickEvents: the box takes the keys
        <div
          key={one.text}
          id={`${id}-${index}`}
          role="option"
          aria-selected={index === active}
          className={index === active ? "menu-item active" : "menu-item"}
          onMouseDown={(event) => event.preventDefault()}
          onClick={() => onPick(one)}
        >
          <span className="mono">{one.text}</span>
          <span className="dim">{one.about}</span>
        </div>
      ))}
    </div>
  );
}
