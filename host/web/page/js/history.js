// CPU and memory of the last minutes of each service, for the small pictures and as the end of the large ones.

import { get } from "./api.js";
import { publish } from "./store.js";

// KEEP is 5 minutes at one point every 5 s, as much as the host keeps so fine.
const KEEP = 60;
// A request names no more services than fit well into a URL.
const BATCH = 60;

const known = new Map(); // id → {points: [[ms, cpu, memory]], asked}

function entry(id) {
  let e = known.get(id);
  if (!e) known.set(id, (e = { points: [], asked: false, latest: null }));
  return e;
}

// points are [ms, cpu percent, bytes], oldest first.
export const points = (id) => known.get(id)?.points ?? [];

// latest is the last measurement, null where there is none of late.
export const latest = (id) => known.get(id)?.latest ?? null;

// remember takes one round of measurements; what is not in it does not run.
export function remember(at, services) {
  for (const [id, e] of known) if (!(id in services)) e.latest = null;
  for (const [id, [cpu, memory]] of Object.entries(services)) {
    const e = entry(id);
    const point = [at, cpu, memory];
    e.points.push(point);
    if (e.points.length > KEEP) e.points.shift();
    e.latest = point;
  }
  publish("usage", at);
}

const wanted = new Set();
let timer = 0;

// want asks for what was before this page was open, of services that came into sight.
export function want(ids) {
  for (const id of ids) if (!entry(id).asked) wanted.add(id);
  if (wanted.size && !timer) timer = setTimeout(fetchWanted, 120);
}

async function fetchWanted() {
  timer = 0;
  const ids = [...wanted].slice(-BATCH);
  wanted.clear();
  for (const id of ids) entry(id).asked = true;
  try {
    const query = ids.map((id) => `name=${encodeURIComponent(id)}`).join("&");
    const answer = await get(`usage?${query}`);
    for (const one of answer.services ?? []) merge(one);
    publish("usage", Date.now());
  } catch {
    for (const id of ids) entry(id).asked = false; // tried again when they are next in sight
  }
}

function merge(one) {
  const e = entry(one.id);
  const from = e.points[0]?.[0] ?? Infinity;
  e.points = [...(one.fine?.points ?? []).filter(([at]) => at < from), ...e.points].slice(-KEEP);
}

// forget drops what no longer is, so that a page that stays open for weeks does not grow.
export function forget(services) {
  for (const id of known.keys()) if (!services.has(id)) known.delete(id);
}
