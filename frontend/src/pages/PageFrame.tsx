import "./pages.css";
import type { ReactNode } from "react";
import { useTranslation } from "react-i18next";
import { LiveRegion, Toasts } from "../app/Messages";
import { Link } from "../app/router";
import { Logo } from "../ui/Icon";
import { LookButtons, useTabTitle } from "./PageLook";

interface Props {
  title: string; // of the browser's tab
  tools?: ReactNode;
  children: ReactNode;
}

/** What the pages beside the editor have in common: brand, language, theme, messages. */
export function PageFrame({ title, tools, children }: Props) {
  const { t } = useTranslation();
  useTabTitle(title);
  return (
    <div className="page">
      <header className="page-top">
        <Link to="/" className="brand" label={t("topbar.home")}>
          <Logo />
          <span className="brand-name">topoweb</span>
        </Link>
        <span className="spring" />
        {tools}
        <LookButtons />
      </header>
      <main className="page-main">{children}</main>
      <Toasts />
      <LiveRegion />
    </div>
  );
}
