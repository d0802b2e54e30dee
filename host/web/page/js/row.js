// One row of the list.

import { act } from "./actions.js";
import { h, setAttr, setText } from "./dom.js";
import { bytes, percent, since } from "./format.js";
import { latest, points } from "./history.js";
import { t } from "./i18n.js";
import { icon } from "./icons.js";
import { link } from "./router.js";
import { spark } from "./spark.js";
import { healthWord, look, reason, stateWord, verbs } from "./states.js";
import { mayAct, serverNow, state } from "./store.js";

const MIB = 1 << 20;

export class Row {
  #id = "";
  #shape = "";
  #verbs = "";

  constructor() {
    const cell = (kind, ...children) => h("div", { class: `cell ${kind}`, role: "cell" }, ...children);
    this.mark = h("span", { class: "mark" });
    this.name = h("a", { class: "name", tabindex: "-1" });
    this.about = h("span", { class: "about" });
    this.state = h("span");
    this.health = cell("health");
    this.cpu = h("span", { class: "figure" });
    this.cpuSpark = h("canvas", { class: "spark", "aria-hidden": "true" });
    this.memory = h("span", { class: "figure" });
    this.memorySpark = h("canvas", { class: "spark", "aria-hidden": "true" });
    this.age = cell("age");
    this.restarts = cell("restarts");
    this.reason = cell("reason");
    this.actions = cell("row-actions");
    this.node = h("div", { class: "row", role: "row" },
      cell("service", this.mark, this.name, this.about),
      cell("state", this.state), this.health,
      cell("cpu", this.cpuSpark, this.cpu), cell("memory", this.memorySpark, this.memory),
      this.age, this.restarts, this.reason, this.actions);
  }

  // Sizes of the two pictures, the same in every row.
  static #sizes = null;

  // resized forgets them.
  static resized() {
    Row.#sizes = null;
  }

  bind(id) {
    this.#id = id;
    this.node.dataset.id = id;
    this.show();
  }

  // show is what the status says.
  show() {
    const s = state.services.get(this.#id);
    if (!s) return;
    const { shape, tone } = look(s);
    if (this.#shape !== shape + tone) {
      this.#shape = shape + tone;
      this.mark.replaceChildren(icon(shape, tone));
      this.state.className = `tone ${tone}`;
    }
    setText(this.name, s.id);
    setAttr(this.name, "href", link("service", s.id));
    setText(this.about, s.description ?? "");
    setText(this.state, stateWord(s));
    setText(this.health, healthWord(s));
    this.health.className = `cell health ${s.health === "unhealthy" ? "tone bad" : s.health === "starting" ? "tone warn" : ""}`;
    setText(this.restarts, String(s.restarts));
    this.restarts.classList.toggle("none", s.restarts === 0);
    const why = reason(s);
    setText(this.reason, why);
    setAttr(this.reason, "title", why || null);
    this.#offer(s);
    this.tick();
    this.usage();
  }

  // tick is what changes by the time alone.
  tick() {
    const s = state.services.get(this.#id);
    if (s) setText(this.age, since(s.since));
  }

  usage() {
    const s = state.services.get(this.#id);
    if (!s) return;
    const now = latest(this.#id);
    this.node.classList.toggle("down", !s.pid);
    setText(this.cpu, s.pid ? percent(now ? now[1] : s.cpu_percent) : "–");
    setText(this.memory, s.pid ? bytes(now ? now[2] : s.memory_bytes) : "–");
  }

  draw() {
    const all = points(this.#id);
    const now = serverNow();
    Row.#sizes ??= [this.cpuSpark, this.memorySpark].map((c) => [c.clientWidth, c.clientHeight]);
    const [cpu, memory] = Row.#sizes;
    spark(this.cpuSpark, cpu, all, { value: (p) => p[1], low: 5, tone: "--chart-cpu", now });
    spark(this.memorySpark, memory, all, { value: (p) => p[2], low: 8 * MIB, tone: "--chart-memory", now });
  }

  #offer(s) {
    const wanted = mayAct() ? verbs(s).join() : "";
    if (this.#verbs === wanted) {
      for (const b of this.actions.children) setAttr(b, "aria-label", `${t(`verb.${b.dataset.verb}`)} ${s.id}`);
      return;
    }
    this.#verbs = wanted;
    this.actions.replaceChildren(...wanted.split(",").filter(Boolean).map((verb) =>
      h("button", {
        type: "button", class: "ghost", "data-verb": verb, title: t(`verb.${verb}`), "aria-label": `${t(`verb.${verb}`)} ${s.id}`,
        tabindex: "-1", onclick: () => act(verb, [this.#id]),
      }, icon(verb === "run-now" ? "start" : verb))));
  }
}
