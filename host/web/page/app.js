// The dashboard: one page, one view at a time.

import { announceChanges } from "./js/announce.js";
import { get } from "./js/api.js";
import { dialogOpen } from "./js/dialog.js";
import { h, typing } from "./js/dom.js";
import { eventsView } from "./js/events.js";
import { graphView } from "./js/graph.js";
import { forget } from "./js/history.js";
import { help } from "./js/help.js";
import { applyLanguage, t } from "./js/i18n.js";
import { listView } from "./js/list.js";
import { connect, disconnect } from "./js/live.js";
import { go, here, onMove } from "./js/router.js";
import { reportView } from "./js/report.js";
import { Scope } from "./js/scope.js";
import { serviceView } from "./js/service.js";
import { shell } from "./js/shell.js";
import { signinView } from "./js/signin.js";
import { publish, state, subscribe } from "./js/store.js";
import { toast } from "./js/toast.js";

const root = document.getElementById("app");
let frame = null;
let frameScope = null;
let view = null;
let viewScope = null;
let signingIn = false;

// frameUp draws everything anew, in the language that is set.
function frameUp() {
  frameScope?.close();
  frameScope = new Scope();
  frame = shell(frameScope, { redraw: frameUp, signin: () => askToken(), signedOut });
  root.replaceChildren(frame.node);
  show(false);
}

// show makes the view that the address names; moved says that somebody went there, who expects the focus there.
function show(moved = true) {
  viewScope?.close();
  viewScope = new Scope();
  const { path } = here();
  let name = "services";
  if (!state.session) {
    view = { node: h("p", { class: "empty" }, t("loading")), title: "" };
  } else if (signingIn || state.session.role === "none") {
    view = signinView(begin, state.session.name);
    name = "";
  } else if (path[0] === "service" && path[1]) {
    view = serviceView(viewScope, path[1], path[2]);
  } else if (path[0] === "graph") {
    view = graphView(viewScope);
    name = "graph";
  } else if (path[0] === "events") {
    view = eventsView(viewScope);
    name = "events";
  } else if (path[0] === "report") {
    view = reportView(viewScope);
    name = "report";
  } else {
    view = listView(viewScope);
  }
  frame.main.replaceChildren(view.node);
  frame.at(name, view.title);
  scrollTo(0, 0);
  view.ready?.();
  if (moved && !view.focus?.()) (view.node.querySelector("h1") ?? frame.main).focus({ preventScroll: true });
}

function askToken() {
  signingIn = true;
  show(false);
}

function signedOut() {
  disconnect();
  state.session = { ...state.session, role: "none", user: "" };
  state.host = null;
  state.services = new Map();
  state.connection = "connecting";
  publish("connection");
  publish("session");
  show(false);
}

// begin is called with a session that may be good: at first, and after each sign-in.
async function begin() {
  state.session = await get("session");
  signingIn = false;
  publish("session");
  show(false);
  if (state.session.role !== "none") connect();
}

subscribe("services", () => forget(state.services));
subscribe("unauthorized", () => {
  if (!state.session || state.session.role === "none") return;
  toast("bad", t("session.ended"));
  signedOut();
});

// Single keys act where nobody types and nothing is asked.
addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || dialogOpen()) return;
  if (typing(event)) {
    if (view?.fieldKey?.(event)) event.preventDefault();
    else if (event.key === "Escape") event.target.blur();
    return;
  }
  const views = { s: "#/", d: "#/graph", e: "#/events", r: "#/report" };
  if (event.key === "?") help();
  else if (view?.key?.(event)) event.preventDefault();
  else if (event.key in views && state.session?.role !== "none") go(views[event.key]);
});

applyLanguage();
announceChanges();
onMove(() => {
  signingIn = false;
  show();
});
frameUp();
begin().catch((error) => {
  toast("bad", t("connection.none"), error.message);
  setTimeout(() => location.reload(), 5000);
});
