// Light, dark, or as the system has it. js/theme.js sets what was kept before the page is drawn for the first time.

import { forgetColors, h, setAttr } from "./dom.js";
import { keep, read, t } from "./i18n.js";
import { icon } from "./icons.js";
import { publish } from "./store.js";

const SHAPES = { auto: "auto", light: "sun", dark: "moon" };
const THEMES = Object.keys(SHAPES);

const now = () => (THEMES.includes(read("theme")) ? read("theme") : "auto");

export function themeButton() {
  const button = h("button", { type: "button", class: "ghost", onclick: next });
  const show = () => {
    button.replaceChildren(icon(SHAPES[now()]));
    const label = t("theme.is", { name: t(`theme.${now()}`) });
    setAttr(button, "aria-label", label);
    setAttr(button, "title", label);
  };
  function next() {
    const theme = THEMES[(THEMES.indexOf(now()) + 1) % THEMES.length];
    keep("theme", theme === "auto" ? null : theme);
    if (theme === "auto") delete document.documentElement.dataset.theme;
    else document.documentElement.dataset.theme = theme;
    show();
    changed();
  }
  show();
  return button;
}

function changed() {
  forgetColors();
  publish("theme");
}

matchMedia("(prefers-color-scheme: dark)").addEventListener("change", changed);
