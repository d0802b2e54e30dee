// The latest runs of a job.

import { h, wide } from "./dom.js";
import { span, when } from "./format.js";
import { t } from "./i18n.js";
import { icon } from "./icons.js";

export function runTable(runs) {
  return wide(t("runs.label"), h("table", { class: "plain" },
    h("thead", {}, h("tr", {}, ["outcome", "started", "took", "by"].map((c) => h("th", { scope: "col" }, t(`run.${c}`))))),
    h("tbody", {}, runs.map((r) => h("tr", {},
      h("td", {}, h("span", { class: `tone ${r.success ? "good" : "bad"} with-icon` }, icon(r.success ? "check" : "failed"), r.text)),
      h("td", {}, when(Date.parse(r.started_at))),
      h("td", {}, span(r.duration_ms)),
      h("td", {}, r.by || t("run.schedule")))))));
}
