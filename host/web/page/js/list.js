// The list of services: the first thing one sees.

import { h, setAttr, setText } from "./dom.js";
import { want } from "./history.js";
import { t } from "./i18n.js";
import { icon } from "./icons.js";
import { arrange, groups, sortable } from "./order.js";
import { go, here, link, note } from "./router.js";
import { Row } from "./row.js";
import { specBar } from "./specbar.js";
import { counts, state } from "./store.js";
import { VirtualRows } from "./virtual.js";

const narrow = matchMedia("(max-width: 760px)");
const rowHeight = () => (narrow.matches ? 62 : 40);

// What was looked at last, for the way back from a service's page.
let left = { id: null, y: 0 };

export function listView(scope) {
  const { query } = here();
  const wanted = { text: query.get("q") ?? "", group: query.get("show") ?? "all", sort: query.get("sort") ?? "attention", back: query.get("dir") === "back" };
  const field = h("input", {
    type: "search", class: "search-field", value: wanted.text, placeholder: t("list.filter"), "aria-label": t("list.filter"),
    "aria-keyshortcuts": "/", autocomplete: "off", spellcheck: "false",
  });
  const chips = Object.keys(groups).map((name) => h("button", { type: "button", class: "chip", "data-group": name, onclick: () => choose({ group: name }) }, h("span"), h("b")));
  const head = h("div", { class: "row head", role: "row", "aria-rowindex": "1" }, columns().map(([name, sort]) => header(name, sort)));
  const body = h("div", { class: "rows", role: "rowgroup" });
  const empty = h("p", { class: "empty", hidden: true });
  const table = h("div", { class: "table", role: "table", "aria-label": t("nav.services") }, h("div", { role: "rowgroup", class: "head-group" }, head), body);
  const sortSelect = h("select", { class: "sort-select", "aria-label": t("list.sort"), onchange: () => choose({ sort: sortSelect.value, back: false }) },
    sortable.map((s) => h("option", { value: s }, t(`sort.${s}`))));
  const rows = new VirtualRows(body, () => new Row());
  const node = h("div", { class: "list" }, h("h1", { class: "unseen", tabindex: "-1" }, t("nav.services")), specBar(scope),
    h("div", { class: "panel" },
      h("div", { class: "toolbar" }, h("label", { class: "search" }, icon("search"), field, h("kbd", {}, "/")), h("div", { class: "chips", role: "group", "aria-label": t("list.show") }, chips), sortSelect),
      table, empty));

  function header(name, sort) {
    if (!sort) return h("div", { class: `cell ${name}`, role: "columnheader" }, name === "row-actions" ? "" : t(`column.${name}`));
    return h("div", { class: `cell ${name}`, role: "columnheader", "data-sort": sort },
      h("button", { type: "button", onclick: () => choose({ sort, back: wanted.sort === sort && !wanted.back }) }, t(`column.${name}`), icon("down", "arrow")));
  }

  function choose(changed) {
    Object.assign(wanted, changed);
    note({ q: wanted.text, show: wanted.group === "all" ? "" : wanted.group, sort: wanted.sort === "attention" ? "" : wanted.sort, dir: wanted.back ? "back" : "" });
    arranged();
  }

  function arranged() {
    const ids = arrange(wanted);
    rows.set(ids, rowHeight());
    setAttr(table, "aria-rowcount", ids.length + 1);
    empty.hidden = ids.length > 0;
    setText(empty, state.services.size ? t("list.nomatch") : state.host ? t("list.none") : t("loading"));
    for (const cell of head.children) {
      const on = cell.dataset.sort === wanted.sort;
      setAttr(cell, "aria-sort", cell.dataset.sort ? (on ? (wanted.back ? "descending" : "ascending") : "none") : null);
    }
    sortSelect.value = wanted.sort;
    const n = counts();
    const sizes = { all: n.all, bad: n.bad, running: 0, down: 0 };
    for (const s of state.services.values()) sizes[s.pid > 0 ? "running" : "down"]++;
    for (const chip of chips) {
      setText(chip.firstElementChild, t(`show.${chip.dataset.group}`));
      setText(chip.lastElementChild, String(sizes[chip.dataset.group]));
      setAttr(chip, "aria-pressed", String(chip.dataset.group === wanted.group));
      chip.classList.toggle("alarm", chip.dataset.group === "bad" && n.bad > 0);
    }
    reachable();
    want(rows.visible.keys());
    draw(rows.visible.keys());
  }

  const draw = (ids) => {
    for (const id of ids) rows.visible.get(id)?.draw();
  };

  // One row is in the order of the Tab key, the others are reached from it by the arrow keys.
  let active = null;
  function reachable() {
    if (!rows.ids.includes(active)) active = rows.ids[0] ?? null;
    for (const [id, row] of rows.visible) {
      setAttr(row.name, "tabindex", id === active ? "0" : "-1");
      for (const button of row.actions.children) setAttr(button, "tabindex", id === active ? "0" : "-1");
    }
  }

  function step(by) {
    const ids = rows.ids;
    if (!ids.length) return;
    const at = rows.focused() ? ids.indexOf(rows.focused()) : -1;
    active = ids[Math.max(0, Math.min(ids.length - 1, at < 0 ? 0 : at + by))];
    rows.reveal(active, head.getBoundingClientRect().height + 8);
    reachable();
  }

  scope.on("services", arranged);
  scope.on("session", () => rows.visible.forEach((row) => row.show()));
  scope.on("usage", () => {
    if (wanted.sort === "cpu" || wanted.sort === "memory") arranged();
    for (const row of rows.visible.values()) {
      row.usage();
      row.draw();
    }
  });
  scope.on("theme", () => draw(rows.visible.keys()));
  scope.every(1000, () => rows.visible.forEach((row) => row.tick()));
  let planned = false;
  const scrolled = () => {
    if (planned) return;
    planned = true;
    requestAnimationFrame(() => {
      planned = false;
      const fresh = rows.draw();
      want(fresh);
      draw(fresh);
      reachable();
    });
  };
  scope.listen(window, "scroll", scrolled, { passive: true });
  scope.listen(window, "resize", () => {
    Row.resized();
    arranged();
  });
  scope.listen(field, "input", () => choose({ text: field.value.trim() }));
  scope.listen(body, "focusin", (event) => {
    active = event.target.closest("[data-id]")?.dataset.id ?? active;
    reachable();
  });
  scope.listen(body, "click", (event) => {
    const row = event.target.closest("[data-id]");
    if (row && !event.target.closest("a, button") && !getSelection().toString()) go(link("service", row.dataset.id));
  });
  scope.end(() => (left = { id: rows.focused() ?? active, y: scrollY }));

  return {
    node,
    title: "",
    ready() {
      arranged();
      scrollTo(0, left.y);
      const fresh = rows.draw();
      want(fresh);
      draw(fresh);
      active = left.id ?? active;
      reachable();
    },
    // focus is where the keyboard goes on the way back here.
    focus: () => left.id && (rows.reveal(left.id, 60), true),
    key(event) {
      const page = Math.max(1, Math.floor(innerHeight / rowHeight()) - 3);
      const steps = { j: 1, ArrowDown: 1, k: -1, ArrowUp: -1, PageDown: page, PageUp: -page, Home: -Infinity, End: Infinity };
      if (event.key === "/") field.focus();
      else if (event.key in steps && (rows.focused() || !/^(Page|Home|End)/.test(event.key))) step(steps[event.key]);
      else if (event.key === "Escape" && wanted.text) choose({ text: (field.value = "") });
      else return false;
      return true;
    },
    // Keys in the filter: down goes to the rows, Enter to the first one.
    fieldKey(event) {
      if (event.target !== field) return false;
      if (event.key === "ArrowDown") step(1);
      else if (event.key === "Enter" && rows.ids.length) go(link("service", rows.ids[0]));
      else if (event.key === "Escape") {
        if (field.value) choose({ text: (field.value = "") });
        else field.blur();
      } else return false;
      return true;
    },
  };
}

function columns() {
  return [["service", "name"], ["state", "state"], ["health", "health"], ["cpu", "cpu"], ["memory", "memory"], ["age", "age"], ["restarts", "restarts"], ["reason", "attention"], ["row-actions", null]];
}
