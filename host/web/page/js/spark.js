// The small pictures in the list: a line over the last five minutes, without axes.

import { color } from "./dom.js";

const SPAN = 300_000;
const GAP = 30_000; // where nothing was measured for this long the line breaks

// spark draws points into a canvas of this size: to ask for the size would make the browser lay out the page once
// for each. low is the least height of the scale: a service that idles at 0.3 % shall not look like a storm.
export function spark(canvas, [width, height], points, { value, low, tone, now }) {
  const ratio = devicePixelRatio || 1;
  if (!width || !height) return;
  if (canvas.width !== Math.round(width * ratio)) {
    canvas.width = Math.round(width * ratio);
    canvas.height = Math.round(height * ratio);
  }
  const c = canvas.getContext("2d");
  c.setTransform(ratio, 0, 0, ratio, 0, 0);
  c.clearRect(0, 0, width, height);
  const from = now - SPAN;
  const seen = points.filter(([at]) => at >= from);
  if (seen.length < 2) return;
  const top = Math.max(low, ...seen.map(value)) * 1.1;
  const x = ([at]) => ((at - from) / SPAN) * (width - 2) + 1;
  const y = (p) => height - 1.5 - (value(p) / top) * (height - 3);
  for (const run of runs(seen)) {
    const path = new Path2D();
    run.forEach((p, i) => (i ? path.lineTo(x(p), y(p)) : path.moveTo(x(p), y(p))));
    c.strokeStyle = color(tone);
    c.lineWidth = 1.4;
    c.lineJoin = "round";
    c.stroke(path);
    path.lineTo(x(run.at(-1)), height);
    path.lineTo(x(run[0]), height);
    c.globalAlpha = 0.12;
    c.fillStyle = c.strokeStyle;
    c.fill(path);
    c.globalAlpha = 1;
  }
}

function runs(points) {
  const out = [];
  for (const p of points) {
    const last = out.at(-1)?.at(-1);
    if (!last || p[0] - last[0] > GAP) out.push([]);
    out.at(-1).push(p);
  }
  return out.filter((run) => run.length > 1);
}
