// A chart over time. The drawing is uPlot's, a classic script that index.html loads before this.

import { color, h, setText } from "./dom.js";
import { clock, full } from "./format.js";
import { t } from "./i18n.js";

const { uPlot } = globalThis;
const FONT = "11px system-ui, sans-serif";

// Charts of one page share the cursor.
const sync = uPlot.sync("service");

// chart returns {node, set(points, from, to), close()}. Points are [ms, value]; a value of null breaks the line.
export function chart(scope, { title, tone, format, ticks, steps, least }) {
  const readout = h("span", { class: "readout" });
  const box = h("div", { class: "chart-box" });
  const node = h("div", { class: "chart", role: "img", "aria-label": title }, h("div", { class: "chart-head" }, h("span", { class: "chart-title" }, title), readout), box);
  let plot = null;
  let data = [[], []];
  let range = [0, 1];
  let marks = [];

  function make() {
    plot = new uPlot({
      width: Math.max(200, box.clientWidth),
      height: 190,
      padding: [14, 8, 0, 0],
      legend: { show: false },
      cursor: { sync: { key: sync.key }, points: { size: 7 }, drag: { x: false, y: false } },
      scales: { x: { time: true, range: () => range }, y: { range: (_, low, high) => [0, Math.max(least, (high ?? 0) * 1.15)] } },
      axes: [
        { ...axis(), space: 70, size: 26, values: (_, at) => times(at) },
        { ...axis(), space: 34, size: 64, incrs: steps, values: (_, at) => at.map(ticks) },
      ],
      series: [{}, { stroke: () => color(tone), fill: () => faint(color(tone)), width: 1.6, points: { show: false } }],
      hooks: { setCursor: [read], draw: [drawMarks] },
    }, data, box);
  }

  function read(u) {
    const i = u.cursor.idx;
    const value = i === null || i === undefined ? null : data[1][i];
    if (value === null || value === undefined) return setText(readout, now());
    setText(readout, `${full(data[0][i] * 1000)}  ${format(value)}`);
  }

  function now() {
    const values = data[1].filter((v) => v !== null);
    return values.length ? `${format(values.at(-1))}   ${t("usage.most")} ${format(Math.max(...values))}` : "–";
  }

  // A start of the process is a line down the picture: usage falls there, and this says why.
  function drawMarks(u) {
    const { ctx, bbox } = u;
    ctx.save();
    ctx.strokeStyle = color("--line-strong");
    ctx.setLineDash([3 * devicePixelRatio, 3 * devicePixelRatio]);
    for (const at of marks) {
      if (at < range[0] || at > range[1]) continue;
      const x = u.valToPos(at, "x", true);
      ctx.beginPath();
      ctx.moveTo(x, bbox.top);
      ctx.lineTo(x, bbox.top + bbox.height);
      ctx.stroke();
    }
    ctx.restore();
  }

  scope.resized(box, () => {
    if (!box.clientWidth) return;
    if (!plot) make();
    else if (plot.width !== box.clientWidth) plot.setSize({ width: box.clientWidth, height: 190 });
  });
  scope.on("theme", () => plot?.redraw(false, true));
  scope.end(() => plot?.destroy());

  return {
    node,
    set(points, from, to, starts) {
      data = [points.map((p) => p[0] / 1000), points.map((p) => p[1])];
      range = [from / 1000, to / 1000];
      marks = starts.map((ms) => ms / 1000);
      plot?.setData(data);
      if (!plot?.cursor || plot.cursor.left < 0) setText(readout, now());
      node.setAttribute("aria-label", `${title}: ${now()}`);
    },
  };
}

const axis = () => ({
  stroke: () => color("--muted"), font: FONT,
  grid: { stroke: () => color("--line"), width: 1 }, ticks: { show: false },
});

function times(at) {
  const short = at.length > 1 && at[1] - at[0] >= 60;
  return at.map((s) => (short ? clock(s * 1000).slice(0, 5) : clock(s * 1000)));
}

const faint = (rgb) => rgb.replace(/^rgb\((.*)\)$/, "rgba($1, 0.13)");
