import "./pages.css";
import { type ReactNode, useEffect } from "react";
import { useTranslation } from "react-i18next";
import { useStore } from "zustand";
import { LiveRegion, Toasts } from "../app/Messages";
import { prefer, preferences } from "../app/preferences";
import { Link } from "../app/router";
import { Button } from "../ui/Button";
import { Logo } from "../ui/Icon";

interface Props {
  title: string; // of the browser's tab
  tools?: ReactNode;
  children: ReactNode;
}

/** What the pages beside the editor have in common: brand, language, theme, messages. */
export function PageFrame({ title, tools, children }: Props) {
  const { t } = useTranslation();
  const { theme, language } = useStore(preferences);
  useEffect(() => {
    document.title = `${title} · topoweb`;
    return () => {
      document.title = "topoweb";
    };
  }, [title]);
  return (
    <div className="page">
      <header className="page-top">
        <Link to="/" className="brand" label={t("topbar.home")}>
          <Logo />
          <span className="brand-name">topoweb</span>
        </Link>
        <span className="spring" />
        {tools}
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
      </header>
      <main className="page-main">{children}</main>
      <Toasts />
      <LiveRegion />
    </div>
  );
}
