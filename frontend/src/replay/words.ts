/** The texts of recordings, in both languages: they are loaded with the room. */

import i18next from "i18next";
import { useTranslation } from "react-i18next";
import en from "../i18n/replay.en.json";
import zh from "../i18n/replay.zh-CN.json";

/** To be called before the first part of the room is shown. */
export function addWords(): void {
  i18next.addResourceBundle("en", "replay", en);
  i18next.addResourceBundle("zh-CN", "replay", zh);
}

/** As `useTranslation`, with the room's texts before those of the page. */
export function useWords() {
  return useTranslation(["replay", "translation"], { nsMode: "fallback" });
}
