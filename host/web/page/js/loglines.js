// The lines of a log in the document: drawn once a frame, the oldest dropped.

import { pieces, plain } from "./ansi.js";
import { h } from "./dom.js";
import { clock, full } from "./format.js";
import { t } from "./i18n.js";

const SHOWN = 2000;
const HELD = 5000; // while the reader has stopped it
const LONGEST = 4000; // characters of one line

export class Lines {
  #box;
  #queue = [];
  #frame = 0;
  #mark = null;
  #skipped = 0;
  following = true;
  moving = false; // it is us who scrolls

  constructor(box) {
    this.#box = box;
  }

  get waiting() {
    return this.following ? 0 : this.#queue.length;
  }

  // clear begins anew; grep is what is to be marked in the lines to come.
  clear(grep) {
    this.#queue = [];
    this.#skipped = 0;
    this.#mark = null;
    this.following = true;
    try {
      if (grep) this.#mark = new RegExp(grep, "g");
    } catch {
      // The host's expressions are not quite the browser's: found, and not marked.
    }
    this.#box.replaceChildren(h("p", { class: "empty" }, t("logs.none")));
  }

  add(lines) {
    this.#queue.push(...lines);
    const most = this.following ? SHOWN : HELD;
    if (this.#queue.length > most) {
      this.#skipped += this.#queue.length - most;
      this.#queue.splice(0, this.#queue.length - most);
    }
    if (this.following) this.#plan();
  }

  follow(on) {
    this.following = on;
    if (on) this.#plan();
  }

  close() {
    cancelAnimationFrame(this.#frame);
  }

  #plan() {
    if (!this.#frame) this.#frame = requestAnimationFrame(() => this.#draw());
  }

  #draw() {
    this.#frame = 0;
    if (!this.following) return;
    const queue = this.#queue.splice(0).slice(-SHOWN);
    const box = this.#box;
    if (queue.length) box.querySelector(".empty")?.remove();
    const nodes = queue.map((l) => this.#line(l));
    if (this.#skipped) nodes.unshift(h("div", { class: "log-line skipped" }, t("logs.skipped", { n: this.#skipped })));
    this.#skipped = 0;
    const over = box.children.length + nodes.length - SHOWN;
    for (let i = 0; i < over && box.firstElementChild; i++) box.firstElementChild.remove();
    box.append(...nodes);
    this.moving = true;
    box.scrollTop = box.scrollHeight;
    requestAnimationFrame(() => (this.moving = false));
  }

  #line(l) {
    const at = l.time ? Date.parse(l.time) : null;
    const text = h("span", { class: "log-text" });
    const long = l.line.length > LONGEST;
    const shown = long ? l.line.slice(0, LONGEST) : l.line;
    if (this.#mark) text.append(...this.#marked(plain(shown)));
    else for (const [piece, kind] of pieces(shown)) text.append(kind ? h("span", { class: kind }, piece) : piece);
    if (long) text.append(h("span", { class: "muted" }, ` ${t("logs.long", { n: l.line.length - LONGEST })}`));
    return h("div", { class: `log-line ${l.stream}` },
      h("time", at === null ? {} : { title: full(at) }, at === null ? "" : clock(at)),
      text);
  }

  #marked(text) {
    const out = [];
    let from = 0;
    for (const m of text.matchAll(this.#mark)) {
      if (!m[0]) continue;
      out.push(text.slice(from, m.index), h("mark", {}, m[0]));
      from = m.index + m[0].length;
    }
    out.push(text.slice(from));
    return out;
  }
}
