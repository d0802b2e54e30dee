// When a service was healthy, told from its events: one bar.

import { h, svg } from "./dom.js";
import { percent, span, when } from "./format.js";
import { t } from "./i18n.js";
import { serverNow } from "./store.js";

const WIDTH = 1000;

// phases are [from, to, kind] over the range; kinds are healthy, unhealthy, starting, down and unknown.
export function phases(events, s, from, to) {
  const marks = [];
  const probed = events.some((e) => ["healthy", "unhealthy", "recovered"].includes(e.kind));
  for (const e of events) {
    const kind = kindAfter(e, probed);
    if (kind) marks.push([Date.parse(e.time), kind]);
  }
  const out = [];
  let kind = marks.length ? before(marks, from) : kindNow(s);
  let at = from;
  for (const [when, next] of marks) {
    if (when <= from || when > to) continue;
    if (next !== kind) {
      out.push([at, when, kind]);
      at = when;
      kind = next;
    }
  }
  out.push([at, to, marks.some(([when]) => when > from) ? kindNow(s) : kind]); // what it is now is known for sure
  return out;
}

const before = (marks, from) => marks.filter(([when]) => when <= from).at(-1)?.[1] ?? "unknown";

function kindNow(s) {
  if (!s.pid) return "down";
  return s.health === "unhealthy" ? "unhealthy" : s.health === "starting" || s.state === "starting" ? "starting" : "healthy";
}

function kindAfter(e, probed) {
  switch (e.kind) {
    case "healthy":
    case "recovered":
      return "healthy";
    case "unhealthy":
      return "unhealthy";
    case "started":
      return "starting";
    case "exited":
    case "failed":
      return "down";
    case "state":
      return e.to === "starting" ? "starting" : e.to === "running" ? (probed ? null : "healthy") : ["stopped", "exited", "failed", "backoff"].includes(e.to) ? "down" : null;
    default:
      return null;
  }
}

// timeline is the bar with its words.
export function timeline(events, s, range) {
  const to = serverNow();
  const from = to - range;
  const all = phases(events, s, from, to);
  const x = (at) => ((at - from) / range) * WIDTH;
  const known = all.filter((p) => p[2] !== "unknown");
  const sum = (list) => list.reduce((n, [a, b]) => n + b - a, 0);
  const good = sum(known.filter((p) => p[2] === "healthy"));
  const outages = known.filter((p) => p[2] === "unhealthy" || p[2] === "down").length;
  const words = sum(known) ? t("timeline.summary", { share: percent((100 * good) / sum(known)), span: span(range), outages }) : t("timeline.nothing");
  return h("div", { class: "timeline" },
    svg("svg", { viewBox: `0 0 ${WIDTH} 22`, preserveAspectRatio: "none", role: "img", "aria-label": words },
      all.map(([a, b, kind]) => svg("rect", { class: `phase ${kind}`, x: x(a), y: 0, width: Math.max(1.5, x(b) - x(a)), height: 22 },
        svg("title", {}, `${t(`phase.${kind}`)}: ${when(a)} – ${when(b)} (${span(b - a)})`)))),
    h("div", { class: "timeline-foot" }, h("span", {}, when(from)), h("span", {}, words), h("span", {}, t("timeline.now"))),
    h("ul", { class: "legend" }, ["healthy", "unhealthy", "starting", "down"].map((kind) => h("li", {}, h("i", { class: `phase ${kind}` }), t(`phase.${kind}`)))));
}
