// The probes of a service: what they ask, and what they found last.

import { h, wide } from "./dom.js";
import { moment, since, until } from "./format.js";
import { t, word } from "./i18n.js";
import { icon } from "./icons.js";

const LOOKS = { success: ["good", "check"], failure: ["bad", "failed"], unknown: ["idle", "waiting"] };

export function probeTable(probes) {
  const columns = ["probe", "target", "result", "last", "took", "next"];
  return wide(t("probes.label"), h("table", { class: "plain" },
    h("thead", {}, h("tr", {}, columns.map((c) => h("th", { scope: "col" }, t(`probe.${c}`))))),
    h("tbody", {}, probes.map(line))));
}

function line(p) {
  const [tone, shape] = LOOKS[p.result] ?? LOOKS.unknown;
  const words = p.result === "failure" && p.failures > 0 ? t("probe.failures", { n: p.failures }) : word("result", p.result);
  const text = p.result === "failure" ? p.error : p.warning;
  return h("tr", {},
    h("th", { scope: "row" }, word("probe", p.probe)),
    h("td", {}, h("span", { class: "badge idle" }, p.kind), " ", h("code", {}, p.target)),
    h("td", {}, h("span", { class: `tone ${tone} with-icon` }, icon(shape), words), text ? h("div", { class: "muted" }, text) : null),
    h("td", {}, moment(p.at) ? t("ago", { age: since(p.at) }) : "–"),
    h("td", {}, moment(p.at) ? `${p.duration_ms} ms` : "–"),
    h("td", {}, p.phase === "planned" && p.next ? t("in", { in: until(p.next) }) : word("phaseof", p.phase)));
}
