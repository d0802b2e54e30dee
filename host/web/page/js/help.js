// The keys, on "?".

import { show } from "./dialog.js";
import { h } from "./dom.js";
import { t } from "./i18n.js";

const keys = [
  [["/"], "help.search"], [["j", "k", "↓", "↑"], "help.move"], [["Enter"], "help.open"], [["Esc"], "help.back"],
  [["1", "2", "3"], "help.tabs"], [["f"], "help.follow"], [["s"], "help.services"], [["d"], "help.graph"], [["e"], "help.events"], [["r"], "help.report"],
  [["←", "→"], "help.graphmove"], [["?"], "help.help"],
];

export function help() {
  show(t("help.title"), h("dl", { class: "keys" }, keys.map(([names, key]) =>
    h("div", {}, h("dt", {}, names.map((k) => h("kbd", {}, k))), h("dd", {}, t(key))))));
}
