// Which services the list shows, and in which order.

import { latest } from "./history.js";
import { moment } from "./format.js";
import { stateWord } from "./states.js";
import { state } from "./store.js";

const collator = new Intl.Collator("en", { numeric: true, sensitivity: "base" });
const byName = (a, b) => collator.compare(a.id, b.id);

const rank = (s) => (s.as_desired ? (s.pid ? 1 : 2) : 0);
const usage = (i, field) => (s) => (s.pid ? (latest(s.id)?.[i] ?? s[field]) : -1);

// keys are the columns; each compares so that what an operator looks for comes first.
const keys = {
  attention: (a, b) => rank(a) - rank(b),
  name: () => 0,
  state: (a, b) => collator.compare(stateWord(a), stateWord(b)),
  health: (a, b) => collator.compare(b.health, a.health),
  cpu: falling(usage(1, "cpu_percent")),
  memory: falling(usage(2, "memory_bytes")),
  age: falling((s) => moment(s.since) ?? 0),
  restarts: falling((s) => s.restarts),
};

function falling(value) {
  return (a, b) => value(b) - value(a);
}

export const sortable = Object.keys(keys);

export const groups = {
  all: () => true,
  bad: (s) => !s.as_desired,
  running: (s) => s.pid > 0,
  down: (s) => !s.pid,
};

// matches reports whether all words of the filter are in what the row shows.
function matches(s, wordsWanted) {
  if (!wordsWanted.length) return true;
  const text = `${s.id} ${s.description ?? ""} ${s.state} ${stateWord(s)} ${s.health} ${s.reason ?? ""} ${s.health_reason ?? ""} ${s.port ?? ""} ${s.pid || ""}`.toLowerCase();
  return wordsWanted.every((w) => text.includes(w));
}

export function arrange({ text, group, sort, back }) {
  const wanted = text.toLowerCase().split(/\s+/).filter(Boolean);
  const inGroup = groups[group] ?? groups.all;
  const compare = keys[sort] ?? keys.attention;
  const way = back ? -1 : 1;
  return [...state.services.values()]
    .filter((s) => inGroup(s) && matches(s, wanted))
    .sort((a, b) => way * (compare(a, b) || (sort === "name" ? byName(a, b) : 0)) || byName(a, b))
    .map((s) => s.id);
}
