// The first part of a service's page: facts, charts, health, runs and the latest events.

import { get } from "./api.js";
import { h } from "./dom.js";
import { eventList } from "./eventlist.js";
import { followEvents } from "./events.js";
import { facts } from "./facts.js";
import { t } from "./i18n.js";
import { probeTable } from "./probes.js";
import { link } from "./router.js";
import { fetchReport } from "./report.js";
import { runTable } from "./runs.js";
import { isJob } from "./states.js";
import { change, state } from "./store.js";
import { timeline } from "./timeline.js";
import { usagePanel } from "./usage.js";

const HOUR = 3600_000;
const LATEST = 12;
const FEW = 100;

export function overview(scope, id) {
  const box = h("div");
  const bar = h("div");
  const probes = h("div");
  const health = h("section", { class: "panel", "aria-label": t("probes.label") }, panelHead(t("probes.label")), bar, probes);
  const runs = h("section", { class: "panel", "aria-label": t("runs.label"), hidden: true });
  const list = eventList({ named: false, most: LATEST });
  let events = [];
  let status = null;
  let measured = null;
  let report = null;
  let asked = "";

  const usage = usagePanel(scope, id, () => drawBar());
  usage.onMeasured((one) => {
    measured = one;
    drawFacts();
  });

  function drawFacts() {
    if (status) box.replaceChildren(facts(status, measured, report));
  }

  function drawBar() {
    if (status) bar.replaceChildren(timeline(events, status, Math.max(usage.range(), HOUR)));
  }

  function drawProbes() {
    if (!status) return;
    probes.replaceChildren(status.probes?.length ? probeTable(status.probes) : h("p", { class: "muted pad" }, t("probes.none")));
  }

  function drawRuns() {
    const now = JSON.stringify(status.runs ?? []);
    if (now === asked) return;
    asked = now;
    runs.hidden = !status.runs?.length;
    if (status.runs?.length) runs.replaceChildren(panelHead(t("runs.label")), runTable(status.runs));
  }

  const told = () => {
    usage.setStarts(events.filter((e) => e.kind === "state" && e.to === "running").map((e) => Date.parse(e.time)));
    drawBar();
  };
  followEvents(scope, id, (all) => {
    events = all;
    list.set(all);
    told();
  }, (some) => {
    events.push(...some);
    list.add(some);
    told();
  });
  // When a probe was asked last is no change that is told.
  scope.every(state.services.size > FEW ? 15_000 : 5000, async () => {
    if (document.hidden || !status?.probes?.length || state.connection !== "open") return;
    try {
      const one = (await get("status", { signal: scope.signal })).services.find((s) => s.id === id);
      if (one) change({ changed: [one] });
    } catch {
      // The banner tells of a line that is down.
    }
  });
  fetchReport(scope.signal, "7d", id).then((r) => {
    report = r.services.find((one) => one.id === id) ?? null;
    drawFacts();
  }).catch(() => {}); // a fact less
  scope.every(1000, () => {
    drawFacts();
    drawProbes();
  });
  scope.every(10_000, drawBar);

  return {
    draw(s) {
      status = s;
      health.hidden = isJob(s) && !s.probes?.length; // it is meant to be down most of the time
      drawFacts();
      drawBar();
      drawProbes();
      drawRuns();
    },
    node: h("div", { class: "overview" },
      h("section", { class: "panel", "aria-label": t("facts.label") }, box), runs, usage.node, health,
      h("section", { class: "panel", "aria-label": t("tab.events") }, panelHead(t("events.latest"), h("a", { href: link("service", id, "events") }, t("events.all.link"))), list.node)),
  };
}

function panelHead(title, ...more) {
  return h("div", { class: "panel-head" }, h("h2", {}, title), ...more);
}
