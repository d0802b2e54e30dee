// What a reload would do, field by field.

import { get } from "./api.js";
import { h } from "./dom.js";
import { t, word } from "./i18n.js";
import { problemList } from "./problems.js";

const TONE = { add: "good", remove: "bad", restart: "warn", stop: "warn", start: "good", update: "idle", keep_rolled_back: "bad", next_start: "idle" };

// planView fetches the plan and shows it.
export async function planView(signal) {
  let plan;
  try {
    plan = await get("plan", { signal });
  } catch (error) {
    return h("p", { class: "muted" }, error.status === 403 ? t("plan.forbidden") : error.message);
  }
  if (plan.problems.length) return problemList(plan.problems);
  if (!plan.changes.length) return h("p", { class: "muted" }, t("plan.nothing"));
  // Of what is added or removed there is only the name to tell: one line for all of them.
  const short = new Map();
  const long = [];
  for (const c of plan.changes) {
    if (c.fields?.length || c.reason || !c.id) long.push(c);
    else short.set(c.action, [...(short.get(c.action) ?? []), c.id]);
  }
  return h("div", { class: "plan" },
    h("p", { class: "muted" }, t("plan.summary", { n: plan.changes.length })),
    [...short].sort(([a], [b]) => (b === "remove") - (a === "remove")).map(([action, ids]) => h("section", { class: "change names" }, badge(action), h("p", {}, ids.map((id) => h("span", {}, id))))),
    long.map(change));
}

const badge = (action) => h("span", { class: `badge ${TONE[action] ?? "idle"}` }, word("planned", action));

function change(c) {
  return h("section", { class: "change", "aria-label": `${c.id || t("plan.host")} ${word("planned", c.action)}` },
    h("h3", {}, badge(c.action), " ", c.id || t("plan.host")),
    c.reason ? h("p", { class: "muted" }, c.reason) : null,
    c.fields?.length ? h("table", { class: "fields" },
      h("thead", {}, h("tr", {}, ["field", "old", "new", "effect"].map((k) => h("th", { scope: "col" }, t(`plan.${k}`))))),
      h("tbody", {}, c.fields.map((f) => h("tr", {},
        h("th", { scope: "row" }, h("code", {}, f.path)),
        h("td", {}, value(f.old, "del")),
        h("td", {}, value(f.new, "ins")),
        h("td", { class: "muted" }, word("class", f.class)))))) : null);
}

const value = (text, tag) => (text === "" ? h("span", { class: "muted" }, t("plan.unset")) : h(tag, {}, text));
