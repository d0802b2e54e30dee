// Rows of which only those in sight exist: a thousand services are forty elements.

const OVERSCAN = 6;

export class VirtualRows {
  #body;
  #make;
  #rows = new Map(); // id → row
  #free = [];
  #ids = [];
  #height = 40;

  // make returns a row: {node, bind(id), show()}. Rows are used again for other ids.
  constructor(body, make) {
    this.#body = body;
    this.#make = make;
  }

  get ids() {
    return this.#ids;
  }

  // visible are the rows that exist now.
  get visible() {
    return this.#rows;
  }

  set(ids, height) {
    this.#ids = ids;
    this.#height = height;
    this.#body.style.height = `${ids.length * height}px`;
    this.draw(true);
  }

  // draw makes, moves and drops rows so that they fit what is in sight. keep is a row that stays although it is
  // not: the one with the focus.
  draw(all = false, keep = this.focused()) {
    const top = this.#body.getBoundingClientRect().top;
    const first = Math.max(0, Math.floor(-top / this.#height) - OVERSCAN);
    const last = Math.min(this.#ids.length, Math.ceil((innerHeight - top) / this.#height) + OVERSCAN);
    const wanted = new Map();
    for (let i = first; i < last; i++) wanted.set(this.#ids[i], i);
    const kept = keep ? this.#ids.indexOf(keep) : -1;
    if (kept >= 0) wanted.set(keep, kept);
    for (const [id, row] of this.#rows) {
      if (wanted.has(id)) continue;
      this.#rows.delete(id);
      this.#free.push(row);
    }
    const fresh = [];
    for (const [id, index] of wanted) {
      let row = this.#rows.get(id);
      const isNew = !row;
      if (isNew) {
        row = this.#free.pop() ?? this.#make();
        this.#rows.set(id, row);
        fresh.push(id);
      }
      row.node.style.transform = `translateY(${index * this.#height}px)`;
      row.node.setAttribute("aria-rowindex", index + 2);
      if (isNew || all) row.bind(id);
    }
    for (const row of this.#free) row.node.remove();
    this.#order([...wanted].sort((a, b) => a[1] - b[1]).map(([id]) => this.#rows.get(id).node));
    return fresh;
  }

  // A screen reader goes by the order in the document.
  #order(nodes) {
    const focus = document.activeElement;
    nodes.forEach((node, i) => {
      if (this.#body.children[i] !== node) this.#body.insertBefore(node, this.#body.children[i] ?? null);
    });
    if (focus !== document.activeElement && this.#body.contains(focus)) focus.focus({ preventScroll: true });
  }

  focused() {
    const at = document.activeElement?.closest("[data-id]");
    return at && this.#body.contains(at) ? at.dataset.id : null;
  }

  // reveal scrolls so far that a row is in sight, and gives it the focus.
  reveal(id, headroom) {
    const index = this.#ids.indexOf(id);
    if (index < 0) return;
    const top = this.#body.getBoundingClientRect().top + index * this.#height;
    if (top < headroom) scrollBy(0, top - headroom);
    else if (top + this.#height > innerHeight - 8) scrollBy(0, top + this.#height - innerHeight + 8);
    this.draw(false, id);
    this.#rows.get(id)?.node.querySelector("a")?.focus({ preventScroll: true });
  }
}
