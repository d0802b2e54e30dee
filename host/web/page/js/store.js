// What the page knows, and who wants to hear of a change. Changes are told once a frame, however many came.

export const state = {
  session: null,
  host: null,
  services: new Map(), // id → service, in the host's order
  connection: "connecting", // open, lost, asleep
  skew: 0, // how far the host's clock is ahead of ours
};

// serverNow is the host's time: ages are of its clock, and this machine's may be minutes off.
export const serverNow = () => Date.now() + state.skew;

const listeners = new Map();
let pending = new Map();
let planned = false;

// MAX_PENDING bounds what a page in the background collects for one topic.
const MAX_PENDING = 2000;

// subscribe calls fn with the items that were published since its last call. It returns how to end that.
export function subscribe(topic, fn) {
  if (!listeners.has(topic)) listeners.set(topic, new Set());
  listeners.get(topic).add(fn);
  return () => listeners.get(topic).delete(fn);
}

export function publish(topic, ...items) {
  const waiting = pending.get(topic) ?? [];
  waiting.push(...items);
  if (waiting.length > MAX_PENDING) waiting.splice(0, waiting.length - MAX_PENDING);
  pending.set(topic, waiting);
  if (planned) return;
  planned = true;
  // A hidden page gets no frames, and its title should still tell of a failure.
  if (document.hidden) setTimeout(flush, 200);
  else requestAnimationFrame(flush);
}

function flush() {
  planned = false;
  const told = pending;
  pending = new Map();
  for (const [topic, items] of told) {
    for (const fn of listeners.get(topic) ?? []) fn(items);
  }
}

export const mayAct = () => state.session?.role === "act";

export function setStatus(status) {
  state.host = status.host;
  state.services = new Map((status.services ?? []).map((s) => [s.id, s]));
  publish("host");
  publish("services", ...state.services.keys());
}

export function setHost(host) {
  state.host = host;
  publish("host");
}

export function change({ changed = [], removed = [] }) {
  for (const id of removed ?? []) state.services.delete(id);
  for (const s of changed ?? []) state.services.set(s.id, s);
  publish("services", ...(removed ?? []), ...(changed ?? []).map((s) => s.id));
}

// counts is what the head of the list and the title say.
export function counts() {
  let good = 0;
  for (const s of state.services.values()) if (s.as_desired) good++;
  return { all: state.services.size, good, bad: state.services.size - good };
}
