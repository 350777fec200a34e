/** Key presses → actions, and keys as people read them. */

import type { Editor } from "../app/editor";
import type { Action } from "./action";

const MAC = /Mac|iPhone|iPad/.test(navigator.platform);

interface Pressed {
  key: string;
  code: string;
  ctrlKey: boolean;
  metaKey: boolean;
  shiftKey: boolean;
  altKey: boolean;
}

/** True when the event is the key combination `keys`, whatever the keyboard's layout. */
export function matches(event: Pressed, keys: string): boolean {
  const parts = keys.split("+");
  const key = parts.pop() ?? "";
  const want = new Set(parts);
  const mod = MAC ? event.metaKey : event.ctrlKey;
  const other = MAC ? event.ctrlKey : event.metaKey;
  if (mod !== want.has("mod") || other || event.altKey !== want.has("alt")) return false;
  const digit = /^\d$/.test(key) && event.code === `Digit${key}`;
  if (!digit && event.key.toLowerCase() !== key) return false;
  // "?" and "+" are typed with Shift on most layouts: their own character says enough.
  const plain = key.length > 1 || /[a-z0-9]/.test(key);
  return !plain || event.shiftKey === want.has("shift");
}

const SYMBOLS: Record<string, [mac: string, other: string]> = {
  mod: ["⌘", "Ctrl"],
  shift: ["⇧", "Shift"],
  alt: ["⌥", "Alt"],
  delete: ["⌦", "Del"],
  backspace: ["⌫", "Backspace"],
  escape: ["Esc", "Esc"],
  enter: ["↩", "Enter"],
  arrowleft: ["←", "←"],
  arrowright: ["→", "→"],
  arrowup: ["↑", "↑"],
  arrowdown: ["↓", "↓"],
};

/** "mod+shift+z" → "⇧⌘Z" or "Ctrl+Shift+Z". */
export function formatKeys(keys: string): string {
  const words = keys.split("+").map((part) => SYMBOLS[part]?.[MAC ? 0 : 1] ?? part.toUpperCase());
  return words.join(MAC ? "" : "+");
}

const TYPING = "input, textarea, select, [contenteditable=true]";
const ELSEWHERE = "[role=dialog], [role=menu], [role=listbox], [role=alertdialog]";

function reaches(action: Action, keys: string, target: Element | null): boolean {
  if (target?.closest(ELSEWHERE)) return keys === "mod+k";
  if (action.scope === "everywhere") return true;
  if (action.scope === "terminal") return Boolean(target?.closest("[data-terminal]"));
  // What a program in a terminal may want is its own; on a Mac ⌘ never is.
  if (target?.closest("[data-terminal-keys]")) return MAC && keys === "mod+k";
  const typing = target?.closest(TYPING) ?? null;
  const text =
    typing !== null && !(typing instanceof HTMLInputElement && typing.type === "checkbox");
  if (text) return keys.startsWith("mod+") && !/^mod\+(shift\+)?[zaxcvyd]$/.test(keys);
  if (action.scope !== "canvas") return true;
  return target === null || target === document.body || target.closest("[data-shortcuts]") !== null;
}

/** The action that a key press means, where it was pressed. */
export function actionFor(
  event: Pressed & { target: EventTarget | null },
  actions: readonly Action[],
): Action | null {
  const target = event.target instanceof Element ? event.target : null;
  for (const action of actions) {
    const hit = action.keys?.find((keys) => matches(event, keys));
    if (hit && reaches(action, hit, target)) return action;
  }
  return null;
}

/** Listen for shortcuts; returns how to stop. */
export function listen(editor: Editor, actions: readonly Action[]): () => void {
  const press = (event: KeyboardEvent) => {
    if (event.defaultPrevented || event.isComposing) return;
    const action = actionFor(event, actions);
    if (!action) return;
    event.preventDefault();
    perform(editor, action);
  };
  window.addEventListener("keydown", press);
  return () => window.removeEventListener("keydown", press);
}

/** Do it, or say why it cannot be done. */
export function perform(editor: Editor, action: Action): void {
  const reason = action.disabled?.(editor) ?? null;
  if (reason) editor.announce(reason);
  else void action.perform(editor);
}
