// Who depends on whom: left starts first. A line that is not met yet is broken.

import { get } from "./api.js";
import { h, setAttr, svg } from "./dom.js";
import { t, word } from "./i18n.js";
import { icon } from "./icons.js";
import { heights, layers } from "./layers.js";
import { go, link } from "./router.js";
import { look } from "./states.js";
import { state } from "./store.js";
import { failed } from "./toast.js";

const WIDTH = 168;
const HEIGHT = 36;
const GAP_X = 92;
const GAP_Y = 52;
const PAD = 16;

export function graphView(scope) {
  const frame = h("div", { class: "graph-frame" });
  const alone = h("div", { class: "alone" });
  const node = h("div", { class: "panel" },
    h("h1", { class: "panel-title", tabindex: "-1" }, t("nav.graph")),
    h("p", { class: "muted pad" }, t("graph.explained")), frame, alone);
  let graph = null;
  let shape = "";
  let nodes = new Map();

  async function load() {
    try {
      graph = await get("graph", { signal: scope.signal });
    } catch (error) {
      if (!scope.signal.aborted) failed(t("graph.failed"), error);
      return;
    }
    const now = JSON.stringify([graph.nodes.map((n) => n.id), graph.edges.map((e) => [e.from, e.to])]);
    if (now !== shape) {
      shape = now;
      build();
    }
    paint();
  }

  function build() {
    const joined = new Set(graph.edges.flatMap((e) => [e.from, e.to]));
    const ids = graph.nodes.map((n) => n.id).filter((id) => joined.has(id));
    const plan = layers(ids, graph.edges);
    const isBend = (id) => id.startsWith("\0");
    const y = heights(plan, GAP_Y, isBend);
    const x = (id) => PAD + plan.rows.findIndex((row) => row.includes(id)) * (WIDTH + GAP_X);
    const at = new Map(plan.rows.flat().map((id) => [id, [x(id), PAD + (y.get(id) ?? 0)]]));
    const width = PAD * 2 + plan.rows.length * WIDTH + (plan.rows.length - 1) * GAP_X;
    const height = PAD * 2 + Math.max(HEIGHT, ...[...y.values()].map((v) => v + GAP_Y / 2));
    nodes = new Map();
    const lines = [...plan.paths].map(([edge, path]) => {
      const line = svg("path", { class: "edge", d: curve(path.map((id) => at.get(id)), path), "marker-start": "url(#arrow)" }, svg("title"));
      line.edge = edge;
      return line;
    });
    const boxes = ids.map((id) => nodeBox(id, at.get(id)));
    const drawing = svg("svg", { class: "graph", viewBox: `0 0 ${width} ${height}`, width, height, role: "group", "aria-label": t("nav.graph") },
      svg("defs", {}, svg("marker", { id: "arrow", viewBox: "0 0 8 8", refX: 1, refY: 4, markerWidth: 7, markerHeight: 7, orient: "auto" }, svg("path", { class: "arrow", d: "M8 0L0 4l8 4z" }))),
      svg("g", {}, lines), svg("g", {}, boxes));
    frame.replaceChildren(ids.length ? drawing : h("p", { class: "empty" }, t("graph.none")));
    const rest = graph.nodes.filter((n) => !joined.has(n.id));
    alone.replaceChildren(...(rest.length ? [h("h2", {}, t("graph.alone", { n: rest.length })), h("div", { class: "chips" }, rest.map((n) => chip(n)))] : []));
    boxes[0]?.setAttribute("tabindex", "0");
  }

  function nodeBox(id, [x, y]) {
    const box = svg("a", { class: "node", href: target(id), tabindex: "-1", "data-id": id, transform: `translate(${x} ${y - HEIGHT / 2})`, onfocus: () => near(id), onblur: () => near(null), onmouseenter: () => near(id), onmouseleave: () => near(null) },
      svg("rect", { width: WIDTH, height: HEIGHT, rx: 7 }), svg("g", { class: "node-icon", transform: "translate(10 10)" }),
      svg("text", { x: 34, y: 23 }, id.length > 17 ? `${id.slice(0, 16)}…` : id), svg("title", {}, id));
    nodes.set(id, box);
    return box;
  }

  const chip = (n) => {
    const box = h("a", { class: "chip", href: target(n.id), "data-id": n.id }, h("span", { class: "node-icon" }), n.id);
    nodes.set(n.id, box);
    return box;
  };

  // paint shows the states and which edges are met; nothing moves.
  function paint() {
    for (const n of graph.nodes) {
      const box = nodes.get(n.id);
      const { shape: drawn, tone } = look({ ...n });
      box.classList.remove("good", "warn", "bad", "idle");
      box.classList.add(tone);
      const mark = icon(drawn, tone);
      setAttr(mark, "width", 16);
      setAttr(mark, "height", 16);
      box.querySelector(".node-icon").replaceChildren(mark);
      setAttr(box, "aria-label", label(n));
    }
    for (const line of frame.querySelectorAll(".edge")) {
      const now = graph.edges.find((e) => e.from === line.edge.from && e.to === line.edge.to) ?? line.edge;
      line.classList.toggle("unmet", !now.met);
      line.firstElementChild.textContent = sentence(now);
    }
  }

  const sentence = (e) => t(e.met ? "graph.met" : "graph.unmet", { from: e.from, to: e.to, condition: word("condition", e.condition) });

  function label(n) {
    const out = graph.edges.filter((e) => e.from === n.id).map(sentence);
    const needed = graph.edges.filter((e) => e.to === n.id).map((e) => e.from);
    return [`${n.id}: ${word("state", n.state)}, ${word("health", n.health)}`, ...out, needed.length ? t("graph.neededby", { names: needed.join(", ") }) : ""].filter(Boolean).join(". ");
  }

  // near brings out a node with what it is joined to.
  function near(id) {
    const on = new Set([id]);
    for (const line of frame.querySelectorAll(".edge")) {
      const hit = line.edge.from === id || line.edge.to === id;
      line.classList.toggle("near", hit);
      if (hit) on.add(line.edge.from).add(line.edge.to);
    }
    frame.classList.toggle("choosing", id !== null);
    for (const [name, box] of nodes) box.classList.toggle("near", on.has(name));
  }

  // move is what the arrow keys do: to what this depends on, to what depends on this, up and down.
  function move(key) {
    const boxes = [...frame.querySelectorAll(".node")];
    const from = document.activeElement?.closest?.(".node");
    if (!boxes.length) return;
    if (!from) return boxes[0].focus();
    const id = from.dataset.id;
    const spot = (b) => b.getBoundingClientRect();
    const here = spot(from);
    let choice = boxes.filter((b) => b !== from);
    if (key === "ArrowLeft") choice = choice.filter((b) => graph.edges.some((e) => e.from === id && e.to === b.dataset.id));
    else if (key === "ArrowRight") choice = choice.filter((b) => graph.edges.some((e) => e.to === id && e.from === b.dataset.id));
    else choice = choice.filter((b) => Math.abs(spot(b).left - here.left) < 4 && (key === "ArrowUp" ? spot(b).top < here.top : spot(b).top > here.top));
    choice.sort((a, b) => Math.abs(spot(a).top - here.top) - Math.abs(spot(b).top - here.top));
    if (!choice[0]) return;
    setAttr(from, "tabindex", "-1");
    setAttr(choice[0], "tabindex", "0");
    choice[0].focus();
    choice[0].scrollIntoView({ block: "nearest", inline: "nearest" });
  }

  const again = scope.soon(700, load);
  scope.on("services", again);
  scope.on("theme", () => graph && paint());
  load();
  return {
    title: t("nav.graph"),
    node,
    key(event) {
      if (event.key === "Escape") go("#/");
      else if (/^Arrow(Left|Right|Up|Down)$/.test(event.key)) move(event.key);
      else return false;
      return true;
    },
  };
}

// target is the page of a service, of its first instance where there are several.
function target(name) {
  for (const s of state.services.values()) if (s.name === name) return link("service", s.id);
  return link("service", name);
}

// curve is a smooth line from the right side of what is needed to the left side of who needs it.
function curve(points, path) {
  const half = WIDTH / 2;
  const flat = points.map(([x, y], i) => (i === 0 ? [[x + WIDTH + 3, y]] : i === path.length - 1 ? [[x - 1, y]] : [[x + half - 60, y], [x + half + 60, y]])).flat();
  let d = `M${flat[0][0]} ${flat[0][1]}`;
  for (let i = 1; i < flat.length; i++) {
    const [ax, ay] = flat[i - 1];
    const [bx, by] = flat[i];
    const mid = (ax + bx) / 2;
    d += `C${mid} ${ay} ${mid} ${by} ${bx} ${by}`;
  }
  return d;
}
