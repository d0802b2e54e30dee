// How a state looks: one tone and one shape each, and what can be done in it.

import { t, word } from "./i18n.js";
import { until, untilInEnglish } from "./format.js";

const shapeOf = {
  running: "running", starting: "starting", waiting: "waiting", stopping: "stopping", killing: "stopping",
  backoff: "backoff", exited: "exited", stopped: "stopped", failed: "failed",
};

// look is {shape, tone}; tones are good, warn, bad and idle.
export function look(s) {
  const shape = s.health === "unhealthy" && s.state === "running" ? "unhealthy" : (shapeOf[s.state] ?? "info");
  if (!s.as_desired) return { shape, tone: s.state === "starting" || s.state === "stopping" || s.state === "waiting" ? "warn" : "bad" };
  if (s.state === "running") return { shape, tone: "good" };
  if (["starting", "stopping", "killing"].includes(s.state)) return { shape, tone: "warn" };
  return { shape, tone: "idle" };
}

export const stateWord = (s) => word("state", s.state);
export const healthWord = (s) => (s.health === "unknown" || !s.health ? "–" : word("health", s.health));

const TURN = /next (try|run) in [0-9a-z.]+/;

// reason is what the host said, and what it does not say in it: health, wish, next try, rollout.
export function reason(s) {
  const parts = [];
  let said = s.reason ?? "";
  if (s.next_run && TURN.test(said)) said = said.replace(TURN, (_, what) => `next ${what} in ${untilInEnglish(s.next_run)}`);
  if (said) parts.push(said);
  if (s.state === "running" || s.state === "starting") {
    if (s.health !== "healthy" && s.health_reason) parts.push(s.health_reason);
    if (s.status_text) parts.push(t("reason.says", { text: s.status_text }));
  }
  if (s.desired_until) parts.push(t("reason.until", { in: until(s.desired_until) }));
  if (s.next_run && !TURN.test(said)) parts.push(t(said.startsWith("next run at ") ? "reason.in" : "reason.next", { in: until(s.next_run) }));
  for (const crossed of s.thresholds ?? []) parts.push(crossed.reason || `${crossed.measure} ${crossed.value} > ${crossed.limit}`);
  if (s.rollout) parts.push(word("rollout", s.rollout.state));
  else if (s.spec?.state === "rolled_back") parts.push(t("reason.rolledback"));
  else if (s.spec?.state === "pending") parts.push(t("reason.pending"));
  return parts.join(" · ");
}

// isJob reports whether a service is run rather than kept running.
export const isJob = (s) => s.type === "oneshot" || s.type === "scheduled";

// verbs are what makes sense to ask for now, the likeliest first.
export function verbs(s) {
  if (isJob(s)) return s.desired === "down" ? ["start"] : s.pid ? ["stop"] : ["run-now", "stop"];
  if (s.desired === "down" || ["stopped", "exited"].includes(s.state)) return ["start"];
  if (s.state === "failed") return ["start", "stop"];
  return ["restart", "stop"];
}

const TONES = {
  bad: ["start_failed", "failed", "reload_rejected", "rolled_back", "log_trouble", "last_good", "upgrade_reverted"],
  warn: ["killed", "limit_hit", "reload_pending", "output_dropped", "logs_trimmed", "orphans_ended", "unhealthy", "skipped", "upgrade_cut", "warning", "threshold", "dumped", "forward_trouble", "forward_dropped", "notify_trouble"],
  good: ["recovered", "healthy", "reload_applied", "upgraded", "threshold_cleared", "forward_ok", "notify_ok"],
};

// eventTone is how much an event matters.
export function eventTone(e) {
  if (e.kind === "state") return { failed: "bad", backoff: "warn", running: "good" }[e.to] ?? "idle";
  if (e.kind === "exited") return e.details?.success === "true" || (e.exit && e.exit.code === 0 && !e.exit.signal) ? "idle" : "warn";
  return Object.keys(TONES).find((tone) => TONES[tone].includes(e.kind)) ?? "idle";
}

const EVENT_SHAPES = { operator: "person", started: "start", reload_applied: "check", healthy: "check", recovered: "check", upgraded: "check", threshold_cleared: "check" };

export function eventShape(e) {
  if (e.kind === "state" && shapeOf[e.to]) return shapeOf[e.to];
  return EVENT_SHAPES[e.kind] ?? { bad: "failed", warn: "unhealthy", good: "check", idle: "info" }[eventTone(e)];
}

// eventText is an event in words. What the host gives as its reason stays as it is.
export function eventText(e) {
  let what = e.kind === "state" ? `${word("state", e.from)} → ${word("state", e.to)}` : word("event", e.kind);
  let why = e.reason ?? "";
  if (e.kind === "exited" && e.exit?.text && !why.includes(e.exit.text)) why = why ? `${e.exit.text}: ${why}` : e.exit.text;
  if (e.pid) what += ` (PID ${e.pid})`;
  return { what, why, who: e.actor ?? "" };
}
