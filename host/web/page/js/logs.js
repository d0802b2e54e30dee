// The output of a service, live. However much it writes, the page holds a bounded part of it.

import { stream } from "./api.js";
import { h, setAttr, setText } from "./dom.js";
import { t } from "./i18n.js";
import { icon } from "./icons.js";
import { Lines } from "./loglines.js";
import { here, note } from "./router.js";
import { serverNow } from "./store.js";

const LAST = 500;
const AGAIN = 3000;

export function logsView(scope, id) {
  const { query } = here();
  const wanted = { grep: query.get("grep") ?? "", stream: query.get("stream") ?? "", since: query.get("since") ?? "" };
  const box = h("div", { class: "log", role: "log", "aria-live": "off", "aria-label": t("logs.label", { name: id }), tabindex: "0" });
  const lines = new Lines(box);
  const field = h("input", { type: "search", class: "search-field", value: wanted.grep, placeholder: t("logs.grep"), "aria-label": t("logs.grep"), autocomplete: "off", spellcheck: "false" });
  const problem = h("p", { class: "field-problem", role: "alert", hidden: true });
  const select = (name, label, options) => {
    const node = h("select", { "aria-label": label, onchange: () => choose({ [name]: node.value }) }, options.map(([value, text]) => h("option", { value, selected: value === wanted[name] }, text)));
    return node;
  };
  const follow = h("button", { type: "button", class: "button small", onclick: () => setFollow(!lines.following) });
  const more = h("button", { type: "button", class: "button small primary log-more", hidden: true, onclick: () => setFollow(true) });
  const wrap = h("label", { class: "check" }, h("input", { type: "checkbox", checked: true, onchange: (e) => box.classList.toggle("nowrap", !e.target.checked) }), t("logs.wrap"));
  let aborter = new AbortController();

  function setFollow(on) {
    lines.follow(on);
    told();
  }

  function told() {
    follow.replaceChildren(icon(lines.following ? "pause" : "start"), lines.following ? t("logs.pause") : t("logs.follow"));
    setAttr(follow, "aria-pressed", String(lines.following));
    more.hidden = lines.following || lines.waiting === 0;
    setText(more, t("logs.more", { n: lines.waiting }));
  }

  function choose(changed) {
    Object.assign(wanted, changed);
    note(wanted);
    open();
  }

  async function open() {
    aborter.abort();
    aborter = new AbortController();
    const { signal } = aborter;
    lines.clear(wanted.grep);
    told();
    problem.hidden = true;
    const ask = new URLSearchParams({ service: id, last: LAST, follow: "1" });
    if (wanted.grep) ask.set("grep", wanted.grep);
    if (wanted.stream) ask.set("stream", wanted.stream);
    if (wanted.since) ask.set("since", new Date(serverNow() - Number(wanted.since) * 60_000).toISOString());
    try {
      await stream(`logs?${ask}`, (some) => {
        lines.add(some);
        told();
      }, signal);
    } catch (error) {
      if (signal.aborted) return;
      if (error.status >= 400 && error.status < 500) {
        setText(problem, error.hint ? `${error.message} – ${error.hint}` : error.message);
        problem.hidden = false;
        return;
      }
    }
    // The host went or the line was cut: the end of a stream that follows is no end.
    if (!signal.aborted) setTimeout(() => signal.aborted || open(), AGAIN);
  }

  scope.on("awake", (now) => (now.at(-1) ? open() : aborter.abort()));
  let typing = 0;
  scope.listen(field, "input", () => {
    clearTimeout(typing);
    typing = setTimeout(() => choose({ grep: field.value }), 300);
  });
  scope.listen(box, "scroll", () => {
    const bottom = box.scrollHeight - box.scrollTop - box.clientHeight < 24;
    if (bottom !== lines.following && !lines.moving) setFollow(bottom);
  }, { passive: true });
  scope.end(() => {
    clearTimeout(typing);
    aborter.abort();
    lines.close();
  });
  open();

  return {
    node: h("section", { class: "panel logs", "aria-label": t("tab.logs") },
      h("div", { class: "toolbar" },
        h("label", { class: "search" }, icon("search"), field, h("kbd", {}, "/")),
        select("stream", t("logs.stream"), [["", t("logs.all")], ["stdout", "stdout"], ["stderr", "stderr"], ["host", t("logs.host")]]),
        select("since", t("logs.since"), [["", t("logs.newest")], ["15", t("logs.15m")], ["60", t("logs.1h")], ["1440", t("logs.1d")]]),
        wrap, follow),
      problem, h("div", { class: "log-frame" }, box, more)),
    key(event) {
      if (event.key === "/") field.focus();
      else if (event.key === "f") setFollow(!lines.following);
      else return false;
      return true;
    },
  };
}
