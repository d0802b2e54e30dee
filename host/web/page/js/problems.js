// What is wrong with an edit, each at its place.

import { h } from "./dom.js";
import { fileName } from "./format.js";
import { t } from "./i18n.js";

export function problemList(problems) {
  return h("ol", { class: "problems", "aria-label": t("problems.label") }, problems.map((p) => h("li", {},
    h("code", { class: "place", title: p.file }, place(p)),
    h("div", {},
      h("p", {}, p.path ? [h("code", {}, p.path), ": "] : null, p.message),
      p.hint ? h("p", { class: "hint" }, t("problems.hint"), " ", p.hint) : null))));
}

function place(p) {
  const parts = [p.file ? fileName(p.file) : "–"];
  if (p.line > 0) parts.push(p.line);
  if (p.line > 0 && p.column > 0) parts.push(p.column);
  return parts.join(":");
}
