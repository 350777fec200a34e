import { useEffect, useRef, useState } from "react";
import { useTranslation } from "react-i18next";
import { useStore } from "zustand";
import { Button } from "../ui/Button";
import type { OpenTerminal } from "./pool";

/** Search in what a terminal shows and has shown. */
export function FindBar({ open }: { open: OpenTerminal }) {
  const { t } = useTranslation();
  const [text, setText] = useState("");
  const found = useStore(open.overlay, (overlay) => overlay.found);
  const input = useRef<HTMLInputElement>(null);
  useEffect(() => input.current?.focus(), []);
  const go = (backwards: boolean) => open.screen.find(text, backwards);
  return (
    <search className="term-find" aria-label={t("actions.terminal.find")}>
      <input
        ref={input}
        type="search"
        className="input"
        aria-label={t("actions.terminal.find")}
        value={text}
        onChange={(event) => {
          setText(event.target.value);
          open.screen.find(event.target.value, false, true);
        }}
        onKeyDown={(event) => {
          if (event.key === "Enter") go(event.shiftKey);
          else if (event.key === "Escape") open.closeFind();
          else return;
          event.preventDefault();
        }}
      />
      <span className="dim mono" role="status">
        {text !== "" && found ? counted(found, t("terminal.notFound")) : ""}
      </span>
      <Button label={t("terminal.previous")} icon="up" kind="bare" small onPress={() => go(true)} />
      <Button label={t("terminal.next")} icon="down" kind="bare" small onPress={() => go(false)} />
      <Button
        label={t("ui.close")}
        icon="close"
        kind="bare"
        small
        onPress={() => open.closeFind()}
      />
    </search>
  );
}

/** "3/17"; of more than xterm marks, only how many. */
function counted({ at, count }: { at: number; count: number }, none: string): string {
  if (count === 0) return none;
  return at > 0 ? `${at}/${count}` : `${count}`;
}
