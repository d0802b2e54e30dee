// Icons as SVG in the colour of the text around them. Each state has its own shape: colour alone tells nothing
// to many eyes.

import { svg } from "./dom.js";

const stroke = { fill: "none", stroke: "currentColor", "stroke-width": 1.6, "stroke-linecap": "round", "stroke-linejoin": "round" };
const line = (d) => ["path", { ...stroke, d }];
const ring = (r) => ["circle", { ...stroke, cx: 8, cy: 8, r }];
const solid = (r) => ["circle", { fill: "currentColor", cx: 8, cy: 8, r }];

const shapes = {
  running: [solid(5)],
  starting: [["circle", { ...stroke, cx: 8, cy: 8, r: 5.2, "stroke-dasharray": "2.6 2.8" }], solid(1.8)],
  waiting: [ring(5.6), line("M8 5v3.2l2 1.4")],
  stopping: [ring(5.6), ["rect", { fill: "currentColor", x: 6, y: 6, width: 4, height: 4, rx: 0.6 }]],
  backoff: [line("M12.7 6.2A5.2 5.2 0 1 0 13.2 9"), line("M13.2 3.2v3.2H10")],
  exited: [ring(5.6), line("M5.6 8.2l1.7 1.7 3.2-3.6")],
  stopped: [ring(5.2)],
  failed: [["path", { fill: "currentColor", "fill-rule": "evenodd", d: "M8 2a6 6 0 1 1 0 12A6 6 0 0 1 8 2zM5.6 4.7l-.9.9L7.1 8l-2.4 2.4.9.9L8 8.9l2.4 2.4.9-.9L8.9 8l2.4-2.4-.9-.9L8 7.1z" }]],
  unhealthy: [["path", { fill: "currentColor", "fill-rule": "evenodd", d: "M8 1.8c.5 0 .9.3 1.1.7l5.3 9.6c.5.9-.1 2-1.1 2H2.7c-1 0-1.6-1.1-1.1-2l5.3-9.6c.2-.4.6-.7 1.1-.7zM7.2 5.6v4h1.6v-4zm0 5.2v1.6h1.6v-1.6z" }]],
  start: [["path", { fill: "currentColor", d: "M5 3.2v9.6c0 .5.6.8 1 .5l7-4.8c.4-.3.4-.8 0-1l-7-4.8c-.4-.3-1 0-1 .5z" }]],
  stop: [["rect", { fill: "currentColor", x: 4, y: 4, width: 8, height: 8, rx: 1.2 }]],
  restart: [line("M12.9 6.1A5.3 5.3 0 1 0 13.3 9"), line("M13.3 2.9v3.3H10")],
  pause: [line("M6 4v8M10 4v8")],
  reload: [line("M3 8a5 5 0 0 1 8.6-3.5L13 6M13 8a5 5 0 0 1-8.6 3.5L3 10"), line("M13 3v3h-3M3 13v-3h3")],
  check: [line("M3.5 8.5l3 3 6-7")],
  cross: [line("M4 4l8 8M12 4l-8 8")],
  back: [line("M10 3L5 8l5 5")],
  down: [line("M4 6l4 4 4-4")],
  search: [["circle", { ...stroke, cx: 7, cy: 7, r: 4.2 }], line("M10.2 10.2L13.5 13.5")],
  sun: [["circle", { ...stroke, cx: 8, cy: 8, r: 2.8 }], line("M8 1.5v1.3M8 13.2v1.3M1.5 8h1.3M13.2 8h1.3M3.4 3.4l.9.9M11.7 11.7l.9.9M12.6 3.4l-.9.9M4.3 11.7l-.9.9")],
  moon: [line("M13.2 9.6A5.6 5.6 0 0 1 6.4 2.8a5.6 5.6 0 1 0 6.8 6.8z")],
  auto: [ring(5.6), ["path", { fill: "currentColor", d: "M8 2.4a5.6 5.6 0 0 1 0 11.2z" }]],
  keyboard: [["rect", { ...stroke, x: 1.8, y: 4, width: 12.4, height: 8, rx: 1.4 }], line("M4.4 6.6h.01M7 6.6h.01M9.4 6.6h.01M11.8 6.6h.01M5.4 9.6h5.2")],
  person: [["circle", { ...stroke, cx: 8, cy: 5.4, r: 2.6 }], line("M2.9 13.6c.6-2.6 2.6-4 5.1-4s4.5 1.4 5.1 4")],
  info: [ring(5.8), line("M8 7.4v3.4M8 5.1h.01")],
  port: [line("M8 2v8M5 7l3 3 3-3M3 13h10")],
};

// icon is decoration: the word stands beside it, or the button that holds it has a label.
export function icon(name, kind = "") {
  const parts = (shapes[name] ?? shapes.info).map(([tag, props]) => svg(tag, props));
  return svg("svg", { class: `icon ${kind}`, viewBox: "0 0 16 16", "aria-hidden": "true", focusable: "false" }, ...parts);
}
