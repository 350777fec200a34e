/** i18next: English is in the bundle and the fallback; Chinese is fetched when it is wanted. */

import i18next from "i18next";
import { initReactI18next } from "react-i18next";
import en from "./en.json";
import type { Language } from "./languages";

/** Begin in English. */
export function initI18n() {
  void i18next.use(initReactI18next).init({
    lng: "en",
    fallbackLng: "en",
    resources: { en: { translation: en } },
    interpolation: { escapeValue: false },
    initAsync: false,
  });
  document.documentElement.lang = "en";
  return i18next;
}

/** Change what the page is written in. */
export async function changeLanguage(language: Language): Promise<void> {
  if (language === "zh-CN" && !i18next.hasResourceBundle(language, "translation")) {
    const [{ default: zh }, { default: fields }] = await Promise.all([
      import("./zh-CN.json"),
      import("./fields.zh-CN.json"),
    ]);
    i18next.addResourceBundle(language, "translation", zh);
    // The decoder's labels are English already; they are their own keys.
    i18next.addResourceBundle(language, "fields", fields);
  }
  await i18next.changeLanguage(language);
  document.documentElement.lang = language;
}
