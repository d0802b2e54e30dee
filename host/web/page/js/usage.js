// CPU and memory of one service over time: what the host kept, and then what it tells.

import { get } from "./api.js";
import { chart } from "./chart.js";
import { h, setAttr } from "./dom.js";
import { bytes, percent } from "./format.js";
import { latest } from "./history.js";
import { keep, read, t } from "./i18n.js";
import { serverNow } from "./store.js";

const MINUTE = 60_000;
const CPU_STEPS = [1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10_000];
// Round in MiB, where a step of ten would be 9.54.
const MEMORY_STEPS = Array.from({ length: 24 }, (_, i) => 2 ** (20 + i));
export const RANGES = { "5m": 5 * MINUTE, "1h": 60 * MINUTE, "6h": 360 * MINUTE, "24h": 1440 * MINUTE };

// usagePanel shows both charts; ranged is called with the span of time that was chosen, in ms.
export function usagePanel(scope, id, ranged) {
  const cpu = chart(scope, { title: t("usage.cpu"), tone: "--chart-cpu", format: percent, ticks: (n) => `${n}%`, steps: CPU_STEPS, least: 5 });
  const memory = chart(scope, { title: t("usage.memory"), tone: "--chart-memory", format: bytes, ticks: bytes, steps: MEMORY_STEPS, least: 8 << 20 });
  let chosen = RANGES[read("range")] ? read("range") : "5m";
  let fine = { step_ms: 5000, points: [] };
  let coarse = { step_ms: MINUTE, points: [] };
  let starts = [];
  const buttons = Object.keys(RANGES).map((name) => h("button", { type: "button", class: "chip", "data-range": name, onclick: () => choose(name) }, t(`range.${name}`)));

  function choose(name) {
    chosen = name;
    keep("range", name);
    for (const b of buttons) setAttr(b, "aria-pressed", String(b.dataset.range === name));
    draw();
    ranged(RANGES[name]);
  }

  function draw() {
    const to = serverNow();
    const from = to - RANGES[chosen];
    const series = join(from);
    cpu.set(series.map(([at, value]) => [at, value]), from, to, starts);
    memory.set(series.map(([at, , value]) => [at, value]), from, to, starts);
  }

  // The fine series is exact and short, and kept only while somebody looks; the coarse one reaches back.
  function join(from) {
    const inRange = (s) => s.points.filter(([at]) => at >= from - s.step_ms);
    const exact = inRange(fine);
    const begin = exact[0]?.[0] ?? Infinity;
    const before = inRange(coarse).filter(([at]) => at < begin);
    const hole = before.length && begin - before.at(-1)[0] > coarse.step_ms * 2 ? [[before.at(-1)[0] + 1, null, null]] : [];
    return [...broken(before, coarse.step_ms), ...hole, ...broken(exact, fine.step_ms)];
  }

  async function fetchAll() {
    try {
      const one = (await get(`usage?name=${encodeURIComponent(id)}`, { signal: scope.signal })).services?.find((s) => s.id === id);
      if (!one) return;
      const begin = one.fine?.points[0]?.[0] ?? Infinity;
      fine.points = [...fine.points.filter(([at]) => at < begin), ...(one.fine?.points ?? [])];
      coarse = one.coarse ?? coarse;
      measured(one);
      draw();
    } catch (error) {
      if (!scope.signal.aborted) console.warn(error.message);
    }
  }

  let measured = () => {};
  scope.on("usage", () => {
    const point = latest(id);
    if (point && point[0] > (fine.points.at(-1)?.[0] ?? 0)) fine.points.push(point);
    while (fine.points.length > 2000) fine.points.shift();
    draw();
  });
  scope.every(MINUTE, fetchAll); // the coarse points, and what is measured only when asked for
  fetchAll();
  choose(chosen);

  return {
    node: h("section", { class: "panel usage", "aria-label": t("usage.label") },
      h("div", { class: "panel-head" }, h("h2", {}, t("usage.label")), h("div", { class: "chips", role: "group", "aria-label": t("range.label") }, buttons)),
      h("div", { class: "charts" }, cpu.node, memory.node)),
    range: () => RANGES[chosen],
    // onMeasured hands over the whole measurement: handles, threads, bytes read and written.
    onMeasured: (fn) => (measured = fn),
    setStarts(times) {
      starts = times;
      draw();
    },
  };
}

// broken puts a hole where nothing was measured, so that no line is drawn across it.
function broken(points, step) {
  const out = [];
  for (const p of points) {
    const last = out.at(-1);
    if (last && p[0] - last[0] > step * 3) out.push([last[0] + step, null, null]);
    out.push(p);
  }
  return out;
}
