/** The texts of filters, in both languages: they are loaded with the room. */

import i18next from "i18next";
import { useTranslation } from "react-i18next";
import en from "../i18n/filter.en.json";
import zh from "../i18n/filter.zh-CN.json";

/** To be called before the first part of the room is shown. */
export function addWords(): void {
  i18next.addResourceBundle("en", "filter", en);
  i18next.addResourceBundle("zh-CN", "filter", zh);
}

/** As `useTranslation`, with the room's texts before those of the page. */
export function useWords() {
  return useTranslation(["filter", "translation"], { nsMode: "fallback" });
}
