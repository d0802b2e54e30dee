// Where the nodes of a graph go: in layers by what must start first, ordered so that few lines cross. Pure
// arithmetic.

const SWEEPS = 6;

// layers places nodes. edges are {from, to}: from depends on to. The result has for each id a layer (0 starts
// first) and a place in it, and for each edge the places it passes through.
export function layers(ids, edges) {
  const known = new Set(ids);
  const used = edges.filter((e) => known.has(e.from) && known.has(e.to) && e.from !== e.to);
  const level = levels(ids, used);
  const rows = Array.from({ length: Math.max(0, ...level.values()) + 1 }, () => []);
  for (const id of ids) rows[level.get(id)].push(id);
  const { paths, links } = bend(used, level, rows);
  for (let i = 0; i < SWEEPS; i++) sweep(rows, links, i % 2 === 0);
  const place = new Map();
  rows.forEach((row, layer) => row.forEach((id, index) => place.set(id, { layer, index })));
  return { place, paths, rows };
}

// levels is the longest way down from each node. A circle can't be in a valid spec; if there is one, it ends.
function levels(ids, edges) {
  const below = new Map(ids.map((id) => [id, []]));
  for (const e of edges) below.get(e.from).push(e.to);
  const level = new Map();
  const open = new Set();
  const visit = (id) => {
    if (level.has(id)) return level.get(id);
    if (open.has(id)) return 0;
    open.add(id);
    const n = below.get(id).reduce((most, to) => Math.max(most, visit(to) + 1), 0);
    open.delete(id);
    level.set(id, n);
    return n;
  };
  for (const id of ids) visit(id);
  return level;
}

// bend gives an edge that crosses layers a place in each of them, so that it does not run through nodes.
function bend(edges, level, rows) {
  const paths = new Map();
  const links = [];
  edges.forEach((edge, i) => {
    const path = [edge.to];
    for (let l = level.get(edge.to) + 1; l < level.get(edge.from); l++) {
      const id = `\0${i}:${l}`;
      rows[l].push(id);
      path.push(id);
    }
    path.push(edge.from);
    paths.set(edge, path);
    for (let k = 1; k < path.length; k++) links.push([path[k - 1], path[k]]);
  });
  return { paths, links };
}

// sweep puts each node at the mean place of its neighbours in the layer before (or behind).
function sweep(rows, links, down) {
  const near = new Map();
  for (const [low, high] of links) {
    const [id, other] = down ? [high, low] : [low, high];
    if (!near.has(id)) near.set(id, []);
    near.get(id).push(other);
  }
  const order = down ? [...rows.keys()] : [...rows.keys()].reverse();
  for (const l of order) {
    const index = new Map();
    rows[down ? l - 1 : l + 1]?.forEach((id, i) => index.set(id, i));
    const mean = new Map(rows[l].map((id, i) => {
      const at = (near.get(id) ?? []).map((o) => index.get(o)).filter((n) => n !== undefined);
      return [id, at.length ? at.reduce((a, b) => a + b, 0) / at.length : i];
    }));
    rows[l].sort((a, b) => mean.get(a) - mean.get(b));
  }
}

// heights gives each node of each layer a height, so that it stands near what it is joined to and none overlap.
// small reports whether a node is but a bend of a line.
export function heights({ rows, paths }, gap, small) {
  const y = new Map();
  const size = (id) => (small(id) ? gap * 0.4 : gap);
  for (const row of rows) {
    let at = 0;
    for (const id of row) {
      y.set(id, at + size(id) / 2);
      at += size(id);
    }
  }
  const near = new Map();
  for (const path of paths.values()) {
    for (let k = 1; k < path.length; k++) {
      for (const [a, b] of [[path[k - 1], path[k]], [path[k], path[k - 1]]]) near.set(a, [...(near.get(a) ?? []), b]);
    }
  }
  for (let i = 0; i < 12; i++) {
    for (const row of i % 2 ? [...rows].reverse() : rows) {
      const want = row.map((id) => {
        const around = near.get(id) ?? [];
        return around.length ? around.reduce((sum, o) => sum + y.get(o), 0) / around.length : y.get(id);
      });
      spread(row, want, size, y);
    }
  }
  const top = Math.min(...[...y].map(([id, v]) => v - size(id) / 2));
  for (const [id, v] of y) y.set(id, v - top);
  return y;
}

// spread moves neighbours apart that would overlap, half of it up and half of it down.
function spread(row, want, size, y) {
  const down = [];
  row.forEach((id, i) => down.push(i ? Math.max(want[i], down[i - 1] + (size(row[i - 1]) + size(id)) / 2) : want[i]));
  const up = [];
  for (let i = row.length - 1; i >= 0; i--) up[i] = i < row.length - 1 ? Math.min(want[i], up[i + 1] - (size(row[i + 1]) + size(row[i])) / 2) : want[i];
  row.forEach((id, i) => y.set(id, (down[i] + up[i]) / 2));
}
