import "./topbar.css";
import { useTranslation } from "react-i18next";
import { useStore } from "zustand";
import { action } from "../../actions/registry";
import { formatKeys, perform } from "../../actions/shortcuts";
import { useEditor, useFacts } from "../../app/editor";
import { preferences } from "../../app/preferences";
import { Link } from "../../app/router";
import { ActionButton } from "../../ui/ActionButton";
import { ActionMenu } from "../../ui/ActionMenu";
import { Icon, Logo } from "../../ui/Icon";
import { LabName } from "./LabName";
import { DriftPill, ProblemsPill, SavedState, StatePill } from "./pills";
import { RunControls } from "./RunControls";

export function TopBar() {
  const { t } = useTranslation();
  const theme = useStore(preferences, ({ theme }) => theme);
  const away = useFacts((facts) => facts.connection === "away");
  return (
    <header className="topbar">
      <Link to="/" className="brand" label={t("topbar.home")}>
        <Logo />
        <span className="brand-name">topoweb</span>
      </Link>
      <nav className="crumb" aria-label={t("topbar.breadcrumb")}>
        <Link to="/" className="crumb-link">
          {t("topbar.labs")}
        </Link>
        <span className="slash" aria-hidden="true">
          /
        </span>
        <LabName />
      </nav>
      <StatePill />
      <DriftPill />
      <ProblemsPill />
      {away && <span className="pill warn">{t("topbar.reconnecting")}</span>}
      <span className="spring" />
      <SavedState />
      <SearchButton />
      <div className="btn-group">
        <ActionButton id="undo" />
        <ActionButton id="redo" />
        <ActionMenu
          label={t("topbar.tidy")}
          icon="layout"
          ids={["tidy.tiers", "tidy.organic", "tidy.circle"]}
        />
      </div>
      <RunControls />
      <ActionMenu
        label={t("topbar.share")}
        icon="download"
        text
        ids={[
          "exportJson",
          "exportSvg",
          "exportPng",
          "exportPcap",
          "saveRecording",
          "-",
          "importJson",
        ]}
      />
      <ActionButton id="language" />
      <ActionButton id="theme" icon={theme === "dark" ? "sun" : "moon"} />
      <span className="only-narrow">
        <ActionButton id="inspector" />
      </span>
    </header>
  );
}

function SearchButton() {
  const { t } = useTranslation();
  const editor = useEditor();
  return (
    <button
      type="button"
      className="search"
      onClick={() => perform(editor, action("command"))}
      aria-haspopup="dialog"
    >
      <Icon name="search" />
      <span>{t("topbar.search")}</span>
      <kbd>{formatKeys("mod+k")}</kbd>
    </button>
  );
}
