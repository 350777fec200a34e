/** Theme, language, terminals: this browser's choice, kept in local storage. */

import { createStore } from "zustand/vanilla";
import { LANGUAGES, type Language } from "../i18n/languages";

export type Theme = "light" | "dark";

interface Preferences {
  theme: Theme;
  language: Language;
  terminalFontSize: number; // px
  terminalReader: boolean; // terminals are made readable to screen readers
}

/** Text of terminals, px. */
export const FONT_SIZES = { smallest: 8, usual: 12, largest: 28 };

const KEY = "topoweb.preferences";

function stored(): Partial<Preferences> {
  try {
    return JSON.parse(localStorage.getItem(KEY) ?? "{}") as Partial<Preferences>;
  } catch {
    return {};
  }
}

function detectLanguage(): Language {
  return navigator.languages.some((tag) => tag.toLowerCase().startsWith("zh")) &&
    !navigator.language.toLowerCase().startsWith("en")
    ? "zh-CN"
    : "en";
}

function fontSize(known: unknown): number {
  const { smallest, usual, largest } = FONT_SIZES;
  const size = typeof known === "number" && Number.isFinite(known) ? Math.round(known) : usual;
  return Math.max(smallest, Math.min(largest, size));
}

function detect(): Preferences {
  const known = stored();
  const dark = window.matchMedia?.("(prefers-color-scheme: dark)").matches ?? false;
  return {
    theme:
      known.theme === "light" || known.theme === "dark" ? known.theme : dark ? "dark" : "light",
    language: LANGUAGES.find((language) => language === known.language) ?? detectLanguage(),
    terminalFontSize: fontSize(known.terminalFontSize),
    terminalReader: known.terminalReader === true,
  };
}

export const preferences = createStore<Preferences>(detect);

/** Change and remember. */
export function prefer(change: Partial<Preferences>): void {
  preferences.setState(change);
  try {
    localStorage.setItem(KEY, JSON.stringify({ ...stored(), ...change }));
  } catch {
    // Private mode without storage: the choice lasts as long as the page.
  }
}
