import "../theme/fonts.css";
import "../theme/tokens.css";
import "../theme/base.css";
import "../theme/ui.css";
import { StrictMode } from "react";
import { createRoot } from "react-dom/client";
import { changeLanguage, initI18n } from "../i18n/index";
import { Api } from "../net/api";
import { App } from "./App";
import { preferences } from "./preferences";

const chosen = preferences.getState();
initI18n();
document.documentElement.dataset.theme = chosen.theme;
preferences.subscribe((now, before) => {
  document.documentElement.dataset.theme = now.theme;
  if (now.language !== before.language) void changeLanguage(now.language);
});

// react-aria would put a <style> into the page, which our content security policy forbids; it looks
// for this id first. The rule itself stands in base.css.
const holder = document.createElement("meta");
holder.id = "react-aria-pressable-style";
document.head.append(holder);

const root = document.getElementById("app");
if (!root) throw new Error("the page has no #app");
const show = () =>
  createRoot(root).render(
    <StrictMode>
      <App api={new Api()} />
    </StrictMode>,
  );
// A language that cannot be fetched must not leave an empty page: then it is English.
changeLanguage(chosen.language).then(show, show);
