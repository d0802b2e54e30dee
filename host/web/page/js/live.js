// The stream of what changes. The browser reconnects by itself as long as the host answers at all; where it
// was refused, this does, and asks whether it was the session that ended.

import { get } from "./api.js";
import { remember } from "./history.js";
import { change, publish, setHost, setStatus, state } from "./store.js";

// QUIET is how long nothing may come: usage is told every 5 s, so the line is dead (a laptop that slept).
const QUIET = 40_000;
const WAITS = [1000, 2000, 4000, 8000, 15_000];

let source = null;
let refused = 0;
let timer = 0;
let heard = 0;

export function connect() {
  disconnect();
  heard = Date.now();
  source = new EventSource("/api/v1/live");
  source.addEventListener("open", () => {
    refused = 0;
    heard = Date.now();
  });
  source.addEventListener("error", lost);
  take("status", (status) => {
    setStatus(status);
    connection("open");
  });
  take("host", setHost);
  take("services", change);
  take("usage", ({ at, services }) => {
    state.skew = Math.abs(at - Date.now()) > 2000 ? at - Date.now() : 0;
    remember(at, services);
  });
  take("journal", (event) => publish("journal", event));
}

function take(kind, fn) {
  const from = source;
  from.addEventListener(kind, (message) => {
    if (from !== source) return;
    heard = Date.now();
    fn(JSON.parse(message.data));
  });
}

export function disconnect() {
  clearTimeout(timer);
  source?.close();
  source = null;
}

async function lost() {
  connection("lost");
  if (source?.readyState !== EventSource.CLOSED) return;
  disconnect();
  timer = setTimeout(retry, WAITS[Math.min(refused++, WAITS.length - 1)]);
}

async function retry() {
  try {
    const session = await get("session");
    if (session.role === "none") {
      publish("unauthorized");
      return;
    }
    state.session = session;
    publish("session");
  } catch {
    // The host is not there. Connecting fails too, and brings us here again.
  }
  connect();
}

function connection(now) {
  if (state.connection === now) return;
  state.connection = now;
  publish("connection");
}

export function reconnect() {
  connection("lost");
  connect();
}

// SLEEP is how long a page may be out of sight before it lets go of its streams: a browser opens six connections
// to one host, and forgotten tabs would take them all.
const SLEEP = 5 * 60_000;
let nap = 0;

addEventListener("visibilitychange", () => {
  clearTimeout(nap);
  if (document.hidden) nap = setTimeout(sleep, SLEEP);
  else if (state.connection === "asleep") {
    connect();
    publish("awake", true);
  }
});

function sleep() {
  if (!source) return;
  disconnect();
  connection("asleep");
  publish("awake", false);
}

setInterval(() => {
  if (source && Date.now() - heard > QUIET) reconnect();
}, 5000);
addEventListener("online", () => source && state.connection !== "open" && reconnect());
