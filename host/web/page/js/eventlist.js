// Events as lines, newest first, and no more of them than a person reads.

import { h } from "./dom.js";
import { full, when } from "./format.js";
import { t } from "./i18n.js";
import { icon } from "./icons.js";
import { link } from "./router.js";
import { eventShape, eventText, eventTone } from "./states.js";
import { state } from "./store.js";

const MOST = 400;

// eventList returns {node, set(events), add(events)}; which decides what is shown, named says whether lines
// name their service.
export function eventList({ named, which = () => true, most = MOST }) {
  const list = h("ol", { class: "events", "aria-label": t("events.label") });
  const empty = h("p", { class: "empty" }, t("events.none"));
  let seen = 0;

  // The stream repeats what was fetched a moment before it began.
  function add(events) {
    for (const e of events) {
      if (e.seq <= seen) continue;
      seen = e.seq;
      if (e.kind !== "gap" && which(e)) list.prepend(line(e, named));
    }
    while (list.children.length > most) list.lastElementChild.remove();
    empty.hidden = list.children.length > 0;
  }

  return {
    node: h("div", {}, list, empty),
    add,
    set(events) {
      seen = 0;
      list.replaceChildren();
      add(events);
    },
  };
}

function line(e, named) {
  const { what, why, who } = eventText(e);
  const tone = eventTone(e);
  const at = Date.parse(e.time);
  const subject = e.id || e.service;
  const lines = e.details?.last_lines;
  const commit = e.details?.commit;
  return h("li", { class: `event ${tone}` },
    h("time", { datetime: e.time, title: full(at) }, when(at)),
    icon(eventShape(e), tone),
    named ? (subject && state.services.has(subject) ? h("a", { class: "who", href: link("service", subject) }, subject) : h("span", { class: "who muted" }, subject || t("events.host"))) : null,
    h("div", { class: "event-text" },
      h("span", { class: `tone ${tone}` }, what), why ? [" ", h("span", {}, why)] : null,
      who ? h("span", { class: "muted" }, ` · ${who}`) : null,
      commit ? h("span", { class: "muted" }, " · ", h("code", {}, commit.slice(0, 7)), e.details.subject ? ` “${e.details.subject}”` : "", e.details.author ? ` ${e.details.author}` : "") : null,
      lines ? h("details", {}, h("summary", {}, t("events.lastlines")), h("pre", {}, lines)) : null));
}
