// The facts of a service, as a table of terms.

import { h } from "./dom.js";
import { bytes, full, moment, percent, since, until, when } from "./format.js";
import { latest } from "./history.js";
import { t, word } from "./i18n.js";
import { share } from "./report.js";

// facts takes the status, and the whole measurement and the report where they are there.
export function facts(s, usage, report) {
  const now = latest(s.id);
  const up = s.pid > 0;
  const pairs = [
    ["state", [word("state", s.state), t("facts.for", { age: since(s.since) })].join(" ")],
    ["pid", up ? String(s.pid) : "–"],
    ["cpu", up ? percent(now ? now[1] : s.cpu_percent) : "–"],
    ["memory", up ? bytes(now ? now[2] : s.memory_bytes) : "–", usage?.peak_memory_bytes && up ? t("facts.peak", { size: bytes(usage.peak_memory_bytes) }) : ""],
    ["processes", up ? String(usage?.processes ?? s.processes) : "–", usage?.threads && up ? t("facts.threads", { n: usage.threads }) : ""],
    ["restarts", String(s.restarts)],
    ["port", s.port ? String(s.port) : null],
    ["handles", up && usage?.handles ? String(usage.handles) : null],
    ["io", up && usage && usage.read_bytes + usage.write_bytes > 0 ? `${bytes(usage.read_bytes)} / ${bytes(usage.write_bytes)}` : null],
    ["started", moment(s.started_at) ? when(moment(s.started_at)) : null],
    ["nextrun", moment(s.next_run) ? `${when(moment(s.next_run))}` : null, moment(s.next_run) ? t("in", { in: until(s.next_run) }) : ""],
    ["lastexit", s.last_exit ? s.last_exit.text || s.last_exit.signal || String(s.last_exit.code) : null, s.last_exit && moment(s.last_exit.at) ? t("ago", { age: since(s.last_exit.at) }) : ""],
    ["availability", report && report.availability !== null ? share(report.availability) : null, report?.outages ? t("facts.outages", { n: report.outages }) : ""],
    ["desired", word("desired", s.desired), s.desired_by ? word("by", s.desired_by) : ""],
    ["spec", word("spec", s.spec?.state ?? "applied")],
  ];
  return h("dl", { class: "facts" }, pairs.filter(([, value]) => value !== null).map(([key, value, more]) =>
    h("div", {}, h("dt", {}, t(`fact.${key}`)), h("dd", { title: key === "started" ? full(moment(s.started_at)) : null }, value, more ? h("small", {}, more) : null))));
}
