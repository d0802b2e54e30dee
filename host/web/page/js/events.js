// All events of the host, live.

import { stream } from "./api.js";
import { h, setAttr } from "./dom.js";
import { eventList } from "./eventlist.js";
import { t } from "./i18n.js";
import { icon } from "./icons.js";
import { here, note } from "./router.js";
import { eventText, eventTone } from "./states.js";
import { state } from "./store.js";
import { failed } from "./toast.js";

const KEEP = 2000;

const groups = {
  all: () => true,
  trouble: (e) => ["bad", "warn"].includes(eventTone(e)),
  changes: (e) => ["operator", "spec_changed", "added", "removed", "rolled_back", "rollout", "upgraded", "last_good"].includes(e.kind) || e.kind.startsWith("reload"),
};

// loadEvents fetches the newest events, of one service or of all.
export async function loadEvents(signal, { service = "", last = 500 } = {}) {
  const all = [];
  await stream(`events?last=${last}${service ? `&service=${encodeURIComponent(service)}` : ""}`, (some) => all.push(...some), signal);
  return all;
}

// followEvents hands over the events of one instance, all again when the line was down, and then new ones.
export function followEvents(scope, id, all, some) {
  async function load() {
    try {
      all(await loadEvents(scope.signal, { service: id }));
    } catch (error) {
      if (!scope.signal.aborted) failed(t("events.failed"), error);
    }
  }
  scope.on("journal", (events) => {
    const ours = events.filter((e) => e.id === id);
    if (ours.length) some(ours);
  });
  scope.on("connection", () => state.connection === "open" && load());
  load();
}

export function eventsView(scope) {
  const { query } = here();
  const wanted = { text: query.get("q") ?? "", group: groups[query.get("show")] ? query.get("show") : "all" };
  const field = h("input", { type: "search", class: "search-field", value: wanted.text, placeholder: t("events.filter"), "aria-label": t("events.filter"), autocomplete: "off", spellcheck: "false" });
  const chips = Object.keys(groups).map((g) => h("button", { type: "button", class: "chip", "data-group": g, onclick: () => choose({ group: g }) }, t(`events.${g}`)));
  const list = eventList({ named: true, which });
  let all = [];

  function which(e) {
    if (!groups[wanted.group](e)) return false;
    if (!wanted.text) return true;
    const { what, why, who } = eventText(e);
    return `${e.id ?? ""} ${e.kind} ${what} ${why} ${who}`.toLowerCase().includes(wanted.text.toLowerCase());
  }

  function choose(changed) {
    Object.assign(wanted, changed);
    note({ q: wanted.text, show: wanted.group === "all" ? "" : wanted.group });
    draw();
  }

  function draw() {
    for (const c of chips) setAttr(c, "aria-pressed", String(c.dataset.group === wanted.group));
    list.set(all);
  }

  async function load() {
    try {
      all = await loadEvents(scope.signal, { last: 1000 });
      draw();
    } catch (error) {
      if (!scope.signal.aborted) failed(t("events.failed"), error);
    }
  }

  scope.listen(field, "input", () => choose({ text: field.value.trim() }));
  scope.on("journal", (events) => {
    all.push(...events.filter((e) => e.seq > (all.at(-1)?.seq ?? 0)));
    if (all.length > KEEP) all.splice(0, all.length - KEEP);
    list.add(events);
  });
  scope.on("connection", () => state.connection === "open" && load()); // what happened while the line was down
  load();

  return {
    title: t("nav.events"),
    node: h("div", { class: "panel" },
      h("h1", { class: "panel-title", tabindex: "-1" }, t("nav.events")),
      h("div", { class: "toolbar" }, h("label", { class: "search" }, icon("search"), field, h("kbd", {}, "/")), h("div", { class: "chips", role: "group", "aria-label": t("list.show") }, chips)),
      list.node),
    key(event) {
      if (event.key !== "/") return false;
      field.focus();
      return true;
    },
  };
}
