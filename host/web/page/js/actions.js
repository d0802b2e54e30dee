// What an operator does: asked for once more, done, and told.

import { post } from "./api.js";
import { ask } from "./dialog.js";
import { h } from "./dom.js";
import { t, word } from "./i18n.js";
import { state } from "./store.js";
import { failed, toast } from "./toast.js";

// PATIENCE is how long the host is to wait for the outcome before it tells how far it has come.
const PATIENCE = 120 * 1e9; // ns

// act asks for confirmation and does it. names are services or instances.
export async function act(verb, names) {
  const shown = names.join(", ");
  const values = await ask({
    title: t(`confirm.${verb}`, { name: shown }),
    body: [h("p", {}, t(`confirm.${verb}.text`)), verb === "stop" ? untilField() : null, onTerminal(verb, names)],
    confirm: t(`verb.${verb}`),
    danger: verb === "stop",
  });
  if (!values) return;
  const request = { verb, names, timeout_ns: PATIENCE };
  if (values.until) request.until = new Date(Date.now() + state.skew + Number(values.until) * 60_000).toISOString();
  await run(t(`doing.${verb}`, { name: shown }), t(`did.${verb}`, { name: shown }), request);
}

// rolling restarts instances one after another, and ends with the first that does not come back.
export async function rolling(name, ids) {
  const sure = await ask({
    title: t("confirm.rolling", { name }),
    body: [h("p", {}, t("confirm.rolling.text", { n: ids.length }))],
    confirm: t("verb.rolling"),
  });
  if (!sure) return;
  for (const id of ids) {
    if (!(await run(t("doing.restart", { name: id }), t("did.restart", { name: id }), { verb: "restart", names: [id], timeout_ns: PATIENCE }))) return;
  }
}

async function run(doing, did, request) {
  const busy = toast("busy", doing);
  try {
    const { services } = await post("act", request);
    const bad = services.filter((s) => !s.ok);
    if (bad.length) toast("bad", t("act.notdone", { name: bad.map((s) => s.id).join(", ") }), bad.map((s) => s.reason || word("state", s.state)).join("; "));
    else toast("good", did);
    return bad.length === 0;
  } catch (error) {
    failed(t("act.failed"), error);
    return false;
  } finally {
    busy.close();
  }
}

function untilField() {
  const choices = [["", "until.hand"], ["15", "until.15m"], ["60", "until.1h"], ["240", "until.4h"], ["1440", "until.1d"]];
  return h("label", { class: "field" }, h("span", {}, t("until.label")),
    h("select", { name: "until" }, choices.map(([value, key]) => h("option", { value }, t(key)))));
}

// onTerminal shows the same as a command, for a note or a script.
const onTerminal = (verb, names) => h("p", { class: "muted" }, t("confirm.terminal"), " ", h("code", {}, `host ${verb} ${names.join(" ")}`));

// reload asks the host to read its files now.
export async function reload({ confirm = false, retry = [], question }) {
  if (question && !(await ask(question))) return;
  const busy = toast("busy", t("doing.reload"));
  try {
    const r = await post("reload", { ...(confirm && { confirm }), ...(retry.length && { retry }) });
    if (r.state === "rejected") toast("bad", t("reload.rejected", { n: r.problems.length }), r.problems[0]?.message ?? "");
    else if (r.state === "pending") toast("bad", t("reload.pending"), r.reason ?? "");
    else if (r.rolled_back?.length || r.failed?.length) toast("bad", t("reload.rolledback", { name: [...(r.rolled_back ?? []), ...(r.failed ?? [])].join(", ") }), r.reason ?? "");
    else toast("good", r.changes.length ? t("reload.applied", { n: r.changes.length }) : t("reload.nothing"));
  } catch (error) {
    failed(t("reload.failed"), error);
  } finally {
    busy.close();
  }
}

// pause switches maintenance on or off.
export async function pause(on) {
  if (on && !(await ask({ title: t("confirm.pause"), body: [h("p", {}, t("confirm.pause.text"))], confirm: t("verb.pause") }))) return;
  try {
    await post(on ? "pause" : "resume");
    toast("good", t(on ? "did.pause" : "did.resume"));
  } catch (error) {
    failed(t("act.failed"), error);
  }
}
