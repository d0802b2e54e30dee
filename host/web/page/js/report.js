// How services did over days: for how much of the time they were up, and what it was that kept them from it.

import { get } from "./api.js";
import { h, setAttr, wide } from "./dom.js";
import { full, moment, span, when } from "./format.js";
import { t, word } from "./i18n.js";
import { here, link, note } from "./router.js";

const PERIODS = ["1d", "7d", "30d"];
// The worst come first, so what is left out is well.
const MOST = 300;

// share is an availability; it is not rounded up to 100 where something was down.
export function share(percent) {
  if (percent === null || percent === undefined) return "–";
  if (percent >= 100) return "100%";
  return `${(Math.floor(percent * 1000) / 1000).toFixed(percent >= 99 ? 3 : 1)}%`;
}

export const fetchReport = (signal, since, name) => get(`report?since=${since}${name ? `&name=${encodeURIComponent(name)}` : ""}`, { signal });

export function reportView(scope) {
  let period = PERIODS.includes(here().query.get("since")) ? here().query.get("since") : "7d";
  const chips = PERIODS.map((p) => h("button", { type: "button", class: "chip", "data-period": p, onclick: () => choose(p) }, t(`period.${p}`)));
  const box = h("div", { "aria-live": "polite" }, h("p", { class: "empty" }, t("loading")));

  function choose(p) {
    period = p;
    note({ since: p === "7d" ? "" : p });
    load();
  }

  async function load() {
    for (const c of chips) setAttr(c, "aria-pressed", String(c.dataset.period === period));
    const asked = period;
    try {
      const r = await fetchReport(scope.signal, asked);
      if (asked === period) box.replaceChildren(...draw(r));
    } catch (error) {
      if (!scope.signal.aborted) box.replaceChildren(h("p", { class: "empty" }, error.message));
    }
  }

  scope.every(60_000, load);
  load();
  return {
    title: t("nav.report"),
    node: h("div", { class: "panel" },
      h("div", { class: "panel-head" }, h("h1", { tabindex: "-1" }, t("nav.report")), h("div", { class: "chips", role: "group", "aria-label": t("range.label") }, chips)), box),
    key: () => false,
  };
}

function draw(r) {
  const known = moment(r.known_since);
  const host = [t("report.starts", { n: r.host.starts }), r.host.crashes ? t("report.crashes", { n: r.host.crashes }) : "", r.host.down_seconds >= 1 ? t("report.hostdown", { span: span(r.host.down_seconds * 1000) }) : ""];
  const rows = [...r.services].sort((a, b) => (a.availability ?? 101) - (b.availability ?? 101) || b.outages - a.outages || b.restarts - a.restarts);
  const columns = ["service", "availability", "outages", "longest", "mttr", "mtbf", "restarts"];
  return [
    h("p", { class: "pad report-sum" }, h("strong", { class: "report-share" }, share(r.availability)), t("report.all"), known ? h("span", { class: "muted" }, ` · ${t("report.known", { at: full(known) })}`) : null, h("span", { class: "muted" }, ` · ${host.filter(Boolean).join(", ")}`)),
    wide(t("nav.report"), h("table", { class: "plain report" },
      h("thead", {}, h("tr", {}, columns.map((c) => h("th", { scope: "col" }, t(`report.${c}`))))),
      h("tbody", {}, rows.slice(0, MOST).map(line)))),
    rows.length > MOST ? h("p", { class: "empty" }, t("report.more", { n: rows.length - MOST })) : null,
  ].filter(Boolean);
}

function line(s) {
  const a = s.availability;
  const tone = a === null ? "idle" : a >= 99.9 ? "good" : a >= 99 ? "warn" : "bad";
  const seconds = (n) => (n === null || n === undefined ? "–" : span(n * 1000));
  const longest = s.longest_outage;
  const by = Object.entries(s.restarts_by).sort((x, y) => y[1] - x[1]).map(([reason, n]) => `${reason.replaceAll("_", " ")} ${n}`).join(", ");
  const runs = s.runs ? t("report.runs", { n: s.runs, failed: s.failed_runs ?? 0 }) : "";
  return h("tr", {},
    h("th", { scope: "row" }, h("a", { href: link("service", s.id) }, s.id)),
    h("td", {}, h("span", { class: `tone ${tone}` }, share(a)), h("div", { class: "share", "aria-hidden": "true" }, bar(s))),
    h("td", {}, s.outages || "–"),
    h("td", {}, longest ? [seconds(longest.seconds), longest.ongoing ? ` ${t("report.ongoing")}` : "", h("div", { class: "muted" }, `${when(Date.parse(longest.from))} ${longest.reason}`)] : "–"),
    h("td", {}, seconds(s.mttr_seconds)),
    h("td", {}, seconds(s.mtbf_seconds)),
    h("td", {}, s.restarts || "–", by || runs ? h("div", { class: "muted" }, [by, runs].filter(Boolean).join(" · ")) : null));
}

// bar shows what the whole period was; widths are set by the scripting interface, which a policy allows.
function bar(s) {
  const parts = [["healthy", s.up_seconds], ["unhealthy", s.down_seconds], ["down", s.planned_seconds + s.host_down_seconds]];
  return parts.filter(([, n]) => n > 0).map(([kind, n]) => {
    const node = h("i", { class: `phase ${kind}`, title: `${word("share", kind)}: ${span(n * 1000)}` });
    node.style.flexGrow = n;
    return node;
  });
}
