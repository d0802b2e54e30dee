// The page of one service: what it is and what can be done, and the part of it that is looked at.

import { act, rolling } from "./actions.js";
import { h, setText } from "./dom.js";
import { eventList } from "./eventlist.js";
import { followEvents } from "./events.js";
import { t } from "./i18n.js";
import { icon } from "./icons.js";
import { logsView } from "./logs.js";
import { overview } from "./overview.js";
import { go, link } from "./router.js";
import { healthWord, look, reason, stateWord, verbs } from "./states.js";
import { mayAct, state } from "./store.js";

const parts = { overview, logs: logsView, events: eventsPart };
const TABS = Object.keys(parts);
const address = (id, tab) => (tab === "overview" ? link("service", id) : link("service", id, tab));

// More instances than this are chosen from a list.
const CHIPS = 12;

export function serviceView(scope, id, tab) {
  const at = TABS.includes(tab) ? tab : "overview";
  const mark = h("span", { class: "mark big" });
  const badge = h("span");
  const about = h("p", { class: "muted" });
  const why = h("div", { class: "why", hidden: true });
  const buttons = h("div", { class: "service-buttons" });
  const siblings = h("nav", { class: "siblings", "aria-label": t("service.instances"), hidden: true });
  const missing = h("p", { class: "empty", hidden: true });
  const box = h("div", { class: "part" });
  let part = null;
  const shown = {};

  // fresh reports whether a part of the head is to be made anew: what is rebuilt loses the focus.
  function fresh(name, ...now) {
    const key = JSON.stringify(now);
    if (shown[name] === key) return false;
    shown[name] = key;
    return true;
  }

  function draw() {
    const s = state.services.get(id);
    missing.hidden = Boolean(s) || !state.host;
    if (!s) {
      setText(missing, t("service.missing", { name: id }));
      if (fresh("buttons")) buttons.replaceChildren();
      return;
    }
    if (!part) {
      part = parts[at](scope, id);
      box.replaceChildren(part.node);
    }
    const { shape, tone } = look(s);
    if (fresh("mark", shape, tone)) mark.replaceChildren(icon(shape, tone));
    badge.className = `badge ${tone}`;
    setText(badge, healthWord(s) === "–" ? stateWord(s) : `${stateWord(s)} · ${healthWord(s)}`);
    setText(about, s.description ?? "");
    drawReason(s, shape, tone);
    drawSiblings(s);
    const can = mayAct() ? verbs(s) : [];
    if (fresh("buttons", can)) buttons.replaceChildren(...can.map((verb, i) => h("button", { type: "button", class: i ? "button" : "button primary", onclick: () => act(verb, [id]) }, icon(verb === "run-now" ? "start" : verb), t(`verb.${verb}`))));
    part.draw?.(s);
  }

  function drawReason(s, shape, tone) {
    const text = reason(s);
    why.hidden = !text && !s.last_lines?.length;
    why.className = `why note ${s.as_desired ? "idle" : tone}`;
    if (!fresh("why", text, s.last_lines, shape, tone, s.as_desired)) return;
    why.replaceChildren(icon(s.as_desired ? "info" : shape, tone), h("div", {}, h("p", {}, text), s.last_lines?.length ? h("pre", {}, s.last_lines.join("\n")) : null));
  }

  function drawSiblings(s) {
    const all = [...state.services.values()].filter((o) => o.name === s.name);
    siblings.hidden = all.length < 2;
    if (all.length < 2 || !fresh("siblings", all.map((o) => [o.id, look(o)]), mayAct())) return;
    const chips = all.length > CHIPS
      ? [h("select", { "aria-label": t("service.instances"), onchange: (e) => go(address(e.target.value, at)) }, all.map((o) => h("option", { value: o.id, selected: o.id === id }, `${o.id}: ${stateWord(o)}`)))]
      : all.map((o) => h("a", { class: "chip", href: address(o.id, at), "aria-current": o.id === id ? "page" : null }, icon(look(o).shape, look(o).tone), o.id));
    siblings.replaceChildren(...chips, ...(mayAct() ? [h("button", { type: "button", class: "button small", onclick: () => rolling(s.name, all.map((o) => o.id)) }, icon("restart"), t("verb.rolling"))] : []));
  }

  scope.on("services", draw);
  scope.on("session", draw);
  scope.every(1000, () => state.services.get(id)?.next_run && draw()); // "next try in 8s"
  return {
    node: h("div", { class: `service ${at === "logs" ? "fill" : ""}` },
      h("header", { class: "service-head" },
        h("div", { class: "service-title" }, h("a", { class: "ghost back", href: "#/", "aria-label": t("service.back"), title: t("service.back") }, icon("back")), mark, h("h1", { tabindex: "-1" }, id), badge, about, buttons),
        siblings, why),
      missing,
      h("nav", { class: "tabs", "aria-label": t("service.parts") }, TABS.map((name, i) => h("a", { href: address(id, name), "aria-current": name === at ? "page" : null, "aria-keyshortcuts": String(i + 1) }, t(`tab.${name}`)))),
      box),
    title: id,
    ready: draw,
    key(event) {
      if (part?.key?.(event)) return true;
      const n = Number(event.key);
      if (n >= 1 && n <= TABS.length) go(address(id, TABS[n - 1]));
      else if (event.key === "Escape") go("#/");
      else return false;
      return true;
    },
  };
}

function eventsPart(scope, id) {
  const list = eventList({ named: false });
  followEvents(scope, id, (all) => list.set(all), (some) => list.add(some));
  return { node: h("section", { class: "panel", "aria-label": t("tab.events") }, list.node) };
}
