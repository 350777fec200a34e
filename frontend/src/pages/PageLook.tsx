import { useEffect } from "react";
import { useTranslation } from "react-i18next";
import { useStore } from "zustand";
import { prefer, preferences } from "../app/preferences";
import { Button } from "../ui/Button";

/** Language and theme, for pages without the editor's menus. */
export function LookButtons() {
  const { t } = useTranslation();
  const { theme, language } = useStore(preferences);
  return (
    <>
      <Button
        label={t("actions.language")}
        icon="language"
        onPress={() => prefer({ language: language === "en" ? "zh-CN" : "en" })}
      />
      <Button
        label={t("actions.theme")}
        icon={theme === "dark" ? "sun" : "moon"}
        onPress={() => prefer({ theme: theme === "dark" ? "light" : "dark" })}
      />
    </>
  );
}

/** Name the browser's tab while the page is shown. */
export function useTabTitle(title: string): void {
  useEffect(() => {
    document.title = `${title} · topoweb`;
    return () => {
      document.title = "topoweb";
    };
  }, [title]);
}
