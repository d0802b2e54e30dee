// Where the spec stands: what runs, what an edit waits for, or what is wrong with it.

import { pause, reload } from "./actions.js";
import { h, setText } from "./dom.js";
import { fileName, moment, since } from "./format.js";
import { t, word } from "./i18n.js";
import { icon } from "./icons.js";
import { planView } from "./plan.js";
import { problemList } from "./problems.js";
import { counts, mayAct, state } from "./store.js";

// An edit that is just being taken in is pending too, for a moment.
const stateOf = (spec) => (spec.state === "pending" && spec.reason === "being applied" ? "applying" : spec.state);

const LOOKS = {
  applying: ["idle", "starting"],
  applied: ["good", "check"], pending: ["warn", "waiting"], rejected: ["bad", "failed"], rolled_back: ["bad", "backoff"], last_good: ["bad", "unhealthy"],
};

export function specBar(scope) {
  const node = h("section", { class: "spec", "aria-label": t("spec.label") });
  const age = h("span", { class: "muted" });
  const well = h("span");
  const all = h("span");
  const tally = h("p", { class: "counts" }, all, ", ", well);
  let shown = "";
  let asked = null;

  function draw() {
    const host = state.host;
    if (!host) return;
    tell();
    // Only what can be seen makes it new: a rebuilt bar would take the focus from its buttons.
    const now = JSON.stringify([host.spec, host.paused, host.stopping, host.log_targets?.map((l) => [l.name, l.state]), host.notify?.map((l) => [l.name, l.state]), mayAct(), rolledBack()]);
    if (now === shown) return tick();
    const before = shown && JSON.parse(shown)[0];
    shown = now;
    const at = stateOf(host.spec);
    const [tone, shape] = LOOKS[at] ?? ["idle", "info"];
    node.className = `spec ${tone}`;
    node.replaceChildren(
      h("div", { class: "spec-line" }, icon(shape, tone),
        h("p", {}, h("strong", { title: host.spec.path }, fileName(host.spec.path)), " ", h("span", { class: `tone ${tone}` }, word("spec", at)), at === "applied" ? " " : " · ", age, commit(host.spec)),
        tally, mayAct() ? buttons(host) : null),
      ...below(host));
    tick();
    if (at !== "pending") asked = null;
    else if (!asked || before.hash !== host.spec.hash) review();
    else node.append(asked);
  }

  function tell() {
    const n = counts();
    setText(all, t("list.counts", { n: n.all }));
    setText(well, t("list.asdesired", { n: n.good }));
    well.className = n.bad ? "tone bad" : "tone good";
  }

  function tick() {
    const at = state.host && moment(state.host.spec.applied_at);
    if (at) age.textContent = t(state.host.spec.state === "applied" ? "ago" : "spec.ago", { age: since(state.host.spec.applied_at) });
  }

  async function review() {
    const box = (asked = h("div", { class: "spec-plan", tabindex: "0", role: "region", "aria-label": t("plan.label") }, h("p", { class: "muted" }, t("loading"))));
    node.append(box);
    box.replaceChildren(await planView(scope.signal));
  }

  scope.on("host", draw);
  scope.on("services", draw);
  scope.on("session", draw);
  scope.every(1000, tick);
  draw();
  return node;
}

function commit(spec) {
  if (!spec.commit) return null;
  return h("span", { class: "commit" }, h("code", { title: spec.commit }, spec.commit.slice(0, 7)), spec.subject ? ` “${spec.subject}”` : null);
}

const rolledBack = () => [...new Set([...state.services.values()].filter((s) => s.spec?.state === "rolled_back").map((s) => s.name))];

function buttons(host) {
  const button = (verb, label, fn) => h("button", { type: "button", class: "button small", onclick: fn }, icon(verb), label);
  return h("div", { class: "spec-buttons" },
    button("reload", t("verb.reload"), () => reload({})),
    host.paused ? button("start", t("verb.resume"), () => pause(false)) : button("pause", t("verb.pause"), () => pause(true)));
}

function below(host) {
  const out = [];
  const note = (tone, ...children) => out.push(h("div", { class: `note ${tone}` }, icon(tone === "bad" ? "failed" : "unhealthy", tone), h("div", {}, ...children)));
  if (host.stopping) note("warn", t("host.stopping"));
  if (host.paused) note("warn", t("host.paused"));
  for (const target of host.log_targets ?? []) {
    if (target.state === "trouble") note("warn", t("host.logtarget", { name: target.name, age: since(target.since) }), " ", target.reason ?? "");
  }
  for (const n of host.notify ?? []) {
    if (n.state === "trouble") note("warn", t("host.notifier", { name: n.name, age: since(n.since) }), " ", n.reason ?? "");
  }
  const { reason, problems } = host.spec;
  const at = stateOf(host.spec);
  if (at === "rejected") {
    out.push(h("p", { class: "spec-text" }, t("spec.rejected.text", { n: problems.length })));
  }
  if (problems?.length) out.push(problemList(problems));
  if (at === "pending") {
    out.push(h("div", { class: "spec-text" }, h("p", {}, t("spec.pending.text"), reason ? ` ${reason}` : ""),
      mayAct() ? h("button", { type: "button", class: "button primary", onclick: confirmPending }, icon("check"), t("spec.confirm")) : null));
  } else if (reason && at !== "applying") {
    out.push(h("p", { class: "spec-text" }, reason));
  }
  const back = at === "rolled_back" ? rolledBack() : [];
  if (back.length && mayAct()) {
    out.push(h("div", { class: "spec-text" }, h("button", { type: "button", class: "button", onclick: () => retry(back) }, icon("restart"), t("spec.retry", { name: back.join(", ") }))));
  }
  return out;
}

const confirmPending = () => reload({
  confirm: true,
  question: { title: t("confirm.pending"), body: [h("p", {}, state.host.spec.reason ?? ""), h("p", {}, t("confirm.pending.text"))], confirm: t("spec.confirm"), danger: true },
});

const retry = (names) => reload({
  retry: names,
  question: { title: t("confirm.retry", { name: names.join(", ") }), body: [h("p", {}, t("confirm.retry.text"))], confirm: t("verb.retry") },
});
