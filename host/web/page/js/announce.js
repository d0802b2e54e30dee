// What a screen reader is told of by itself: changes of state, a few at a time.

import { h } from "./dom.js";
import { t } from "./i18n.js";
import { healthWord, stateWord } from "./states.js";
import { state, subscribe } from "./store.js";

const EVERY = 2500;
const MOST = 3;

let known = new Map();
let changed = new Set();
let timer = 0;

export const region = h("div", { class: "unseen", role: "status", "aria-live": "polite" });

const words = (s) => `${stateWord(s)}${healthWord(s) === "–" ? "" : `, ${healthWord(s)}`}`;

export function announceChanges() {
  subscribe("services", (ids) => {
    const first = known.size === 0;
    for (const id of new Set(ids)) {
      const s = state.services.get(id);
      const now = s && `${s.state} ${s.health}`;
      if (!first && s && known.has(id) && known.get(id) !== now) changed.add(id);
      if (s) known.set(id, now);
      else known.delete(id);
    }
    if (changed.size && !timer) timer = setTimeout(say, EVERY);
  });
}

function say() {
  timer = 0;
  const ids = [...changed].filter((id) => state.services.has(id));
  changed = new Set();
  region.textContent = ids.length > MOST ? t("announce.many", { n: ids.length }) : ids.map((id) => `${id}: ${words(state.services.get(id))}`).join(". ");
}
