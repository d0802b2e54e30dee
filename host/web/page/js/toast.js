// Short notes on what came of an action. Good ones go by themselves, bad ones stay until they are closed.

import { h } from "./dom.js";
import { icon } from "./icons.js";
import { t } from "./i18n.js";

const STAY = 6000;
const MOST = 4;

let region;

export function toasts() {
  // A region that is there from the start is read out when something comes into it.
  region ??= h("div", { class: "toasts", role: "status", "aria-live": "polite", "aria-label": t("toasts.label") });
  return region;
}

// toast shows a note and returns it; tone is good, bad or busy. A busy one is to be replaced by update or closed.
export function toast(tone, title, detail = "") {
  const shape = { good: "check", bad: "failed", busy: "starting" }[tone];
  const close = h("button", { class: "ghost small", type: "button", "aria-label": t("close"), onclick: () => gone() }, icon("cross"));
  const node = h("div", { class: `toast ${tone}`, role: tone === "bad" ? "alert" : null }, icon(shape, tone),
    h("div", { class: "toast-text" }, h("strong", {}, title), detail ? h("p", {}, detail) : null), close);
  let timer = 0;
  const gone = () => {
    clearTimeout(timer);
    node.remove();
  };
  toasts().append(node);
  while (region.children.length > MOST) region.firstElementChild.remove();
  if (tone === "good") timer = setTimeout(gone, STAY);
  return { close: gone };
}

// failed shows an error of the API, with what to do about it.
export function failed(title, error) {
  toast("bad", title, error.hint ? `${error.message} – ${error.hint}` : error.message);
}
