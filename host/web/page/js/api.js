// The host's HTTP API, on the origin this page came from.

import { publish } from "./store.js";

const BASE = "/api/v1/";

export class ApiError extends Error {
  constructor(status, message, hint) {
    super(message);
    this.status = status;
    this.hint = hint ?? "";
  }
}

export const get = (path, options) => ask(path, options);

// post changes something. The header proves that it was this page that asked: another site's form can't set it.
export function post(path, body, options = {}) {
  return ask(path, {
    ...options,
    method: "POST",
    headers: { "Content-Type": "application/json", "X-Host-Action": "1" },
    body: JSON.stringify(body ?? {}),
  });
}

async function ask(path, options = {}) {
  const answer = await open(path, options);
  const text = await answer.text();
  return text ? JSON.parse(text) : {};
}

async function open(path, options) {
  const answer = await fetch(BASE + path, { credentials: "same-origin", cache: "no-store", ...options });
  if (answer.ok) return answer;
  if (answer.status === 401 && path !== "signin") publish("unauthorized");
  let error = {};
  try {
    error = (await answer.json()).error ?? {};
  } catch {
    // A proxy answered, or nobody: the status has to do.
  }
  throw new ApiError(answer.status, error.message || `HTTP ${answer.status} ${answer.statusText}`, error.hint);
}

// stream hands over one value a line until the answer or the signal ends. Values that came together arrive
// together, so that a flood costs one drawing for many lines.
export async function stream(path, take, signal) {
  const answer = await open(path, { signal });
  const reader = answer.body.pipeThrough(new TextDecoderStream()).getReader();
  let rest = "";
  for (;;) {
    const { value, done } = await reader.read();
    if (done) break;
    const lines = (rest + value).split("\n");
    rest = lines.pop();
    hand(lines, take);
  }
  hand([rest], take);
}

function hand(lines, take) {
  const values = [];
  let failure = null;
  for (const line of lines) {
    if (!line) continue;
    const value = JSON.parse(line);
    if (value.error?.message) failure = new ApiError(0, value.error.message, value.error.hint);
    else values.push(value);
  }
  if (values.length) take(values);
  if (failure) throw failure;
}
