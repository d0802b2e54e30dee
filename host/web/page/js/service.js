// The page of one service: what it is, how it is, what it did, what it says.

import { act, rolling } from "./actions.js";
import { h, setText } from "./dom.js";
import { eventList } from "./eventlist.js";
import { loadEvents } from "./events.js";
import { facts } from "./facts.js";
import { t } from "./i18n.js";
import { icon } from "./icons.js";
import { logsView } from "./logs.js";
import { probeTable } from "./probes.js";
import { go, link } from "./router.js";
import { runTable } from "./runs.js";
import { healthWord, look, reason, stateWord, verbs } from "./states.js";
import { mayAct, state } from "./store.js";
import { timeline } from "./timeline.js";
import { failed } from "./toast.js";
import { usagePanel } from "./usage.js";

const TABS = ["overview", "logs", "events"];

export function serviceView(scope, id, tab = "overview") {
  const at = TABS.includes(tab) ? tab : "overview";
  const mark = h("span", { class: "mark big" });
  const badge = h("span");
  const about = h("p", { class: "muted" });
  const why = h("div", { class: "why", hidden: true });
  const buttons = h("div", { class: "service-buttons" });
  const siblings = h("nav", { class: "siblings", "aria-label": t("service.instances"), hidden: true });
  const missing = h("p", { class: "empty", hidden: true });
  const part = { overview, logs: () => logsView(scope, id), events: eventsPart }[at]();
  const node = h("div", { class: "service" },
    h("header", { class: "service-head" },
      h("div", { class: "service-title" }, h("a", { class: "ghost back", href: "#/", "aria-label": t("service.back"), title: t("service.back") }, icon("back")), mark, h("h1", { tabindex: "-1" }, id), badge, about, buttons),
      siblings, why),
    missing,
    h("nav", { class: "tabs", "aria-label": t("service.parts") }, TABS.map((name, i) => h("a", { href: name === "overview" ? link("service", id) : link("service", id, name), "aria-current": name === at ? "page" : null, "aria-keyshortcuts": String(i + 1) }, t(`tab.${name}`)))),
    part.node);
  let offered = "";

  function draw() {
    const s = state.services.get(id);
    missing.hidden = Boolean(s) || !state.host;
    if (!s) {
      setText(missing, t("service.missing", { name: id }));
      buttons.replaceChildren();
      offered = "";
      return;
    }
    const { shape, tone } = look(s);
    mark.replaceChildren(icon(shape, tone));
    badge.className = `badge ${tone}`;
    setText(badge, healthWord(s) === "–" ? stateWord(s) : `${stateWord(s)} · ${healthWord(s)}`);
    setText(about, s.description ?? "");
    const text = reason(s);
    why.hidden = !text && !s.last_lines?.length;
    why.className = `why note ${s.as_desired ? "idle" : tone}`;
    why.replaceChildren(icon(s.as_desired ? "info" : shape, tone), h("div", {}, h("p", {}, text), s.last_lines?.length ? h("pre", {}, s.last_lines.join("\n")) : null));
    instances(s);
    offer(s);
    part.draw?.(s);
  }

  function instances(s) {
    const all = [...state.services.values()].filter((o) => o.name === s.name);
    siblings.hidden = all.length < 2;
    if (all.length < 2) return;
    siblings.replaceChildren(...all.map((o) => h("a", { class: "chip", href: link("service", o.id), "aria-current": o.id === id ? "page" : null }, icon(look(o).shape, look(o).tone), o.id)),
      ...(mayAct() ? [h("button", { type: "button", class: "button small", onclick: () => rolling(s.name, all.map((o) => o.id)) }, icon("restart"), t("verb.rolling"))] : []));
  }

  function offer(s) {
    const now = mayAct() ? verbs(s) : [];
    if (now.join() === offered) return;
    offered = now.join();
    buttons.replaceChildren(...now.map((verb, i) => h("button", { type: "button", class: i ? "button" : "button primary", onclick: () => act(verb, [id]) }, icon(verb === "run-now" ? "start" : verb), t(`verb.${verb}`))));
  }

  // The overview: facts, charts, probes, runs and the latest events.
  function overview() {
    const box = h("div", { class: "facts-box" });
    const probes = h("section", { class: "panel", "aria-label": t("probes.label") });
    const runs = h("section", { class: "panel", "aria-label": t("runs.label"), hidden: true });
    const list = eventList({ named: false, most: 12 });
    let events = [];
    let latest = null;
    let full = null;
    const usage = usagePanel(scope, id, () => latest && draw(latest));
    usage.onMeasured((one) => {
      full = one;
      if (latest) draw(latest);
    });

    function draw(s) {
      latest = s;
      box.replaceChildren(facts(s, full));
      const bar = timeline(events, s, Math.max(usage.range(), 3600_000));
      probes.replaceChildren(h("div", { class: "panel-head" }, h("h2", {}, t("probes.label"))), bar, s.probes?.length ? probeTable(s.probes) : h("p", { class: "muted pad" }, t("probes.none")));
      runs.hidden = !s.runs?.length;
      if (s.runs?.length) runs.replaceChildren(h("div", { class: "panel-head" }, h("h2", {}, t("runs.label"))), runTable(s.runs));
    }

    const took = (all) => {
      events = all;
      list.set(all);
      usage.setStarts(starts(all));
      if (latest) draw(latest);
    };
    follow(took, (some) => {
      events.push(...some);
      list.add(some);
      usage.setStarts(starts(events));
    });
    scope.every(1000, () => latest && box.replaceChildren(facts(latest, full)));
    scope.every(10_000, () => latest && draw(latest));
    return {
      draw,
      node: h("div", { class: "overview" }, h("section", { class: "panel", "aria-label": t("facts.label") }, box), usage.node, probes, runs,
        h("section", { class: "panel", "aria-label": t("tab.events") }, h("div", { class: "panel-head" }, h("h2", {}, t("events.latest")), h("a", { href: link("service", id, "events") }, t("events.all.link"))), list.node)),
    };
  }

  function eventsPart() {
    const list = eventList({ named: false });
    follow((all) => list.set(all), (some) => list.add(some));
    return { node: h("section", { class: "panel", "aria-label": t("tab.events") }, list.node) };
  }

  // follow fetches the events of this service, and again when the line was down, and hands on new ones.
  async function follow(all, some) {
    const load = async () => {
      try {
        all(await loadEvents(scope.signal, { service: id }));
      } catch (error) {
        if (!scope.signal.aborted) failed(t("events.failed"), error);
      }
    };
    scope.on("journal", (events) => {
      const ours = events.filter((e) => e.id === id);
      if (ours.length) some(ours);
    });
    scope.on("connection", () => state.connection === "open" && load());
    load();
  }

  scope.on("services", draw);
  scope.on("session", draw);
  return {
    node,
    title: id,
    ready: draw,
    key(event) {
      if (part.key?.(event)) return true;
      const n = Number(event.key);
      if (n >= 1 && n <= TABS.length) go(n === 1 ? link("service", id) : link("service", id, TABS[n - 1]));
      else if (event.key === "Escape") go("#/");
      else return false;
      return true;
    },
  };
}

// starts are the moments at which a new process ran.
const starts = (events) => events.filter((e) => e.kind === "state" && e.to === "running").map((e) => Date.parse(e.time));
