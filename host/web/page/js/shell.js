// What is around every view: the head, the line about the connection, and the switches.

import { post } from "./api.js";
import { h, setAttr } from "./dom.js";
import { help } from "./help.js";
import { language, languages, setLanguage, t } from "./i18n.js";
import { icon } from "./icons.js";
import { reconnect } from "./live.js";
import { counts, state } from "./store.js";
import { themeButton } from "./themes.js";
import { failed, toasts } from "./toast.js";
import { region } from "./announce.js";

const VIEWS = [["services", "#/"], ["graph", "#/graph"], ["events", "#/events"], ["report", "#/report"]];

// shell makes the frame; redraw is called when every word has to be said anew.
export function shell(scope, { redraw, signin, signedOut }) {
  const main = h("main", { id: "main", tabindex: "-1" });
  const banner = h("div", { class: "banner", role: "alert", hidden: true });
  const links = VIEWS.map(([name, href]) => h("a", { href }, t(`nav.${name}`)));
  const host = h("a", { class: "brand", href: "#/" });
  const nav = h("nav", { class: "views", "aria-label": t("nav.label") }, links);
  const user = h("div", { class: "user" });
  const head = h("header", { class: "top" }, host, nav, h("div", { class: "tools" },
    languageButton(redraw), themeButton(), h("button", { type: "button", class: "ghost keys-button", "aria-label": t("help.title"), title: `${t("help.title")} (?)`, onclick: help }, icon("keyboard")), user));
  const node = h("div", { class: "shell" }, h("a", { class: "skip", href: "#main", onclick: skip }, t("skip")), head, banner, main, toasts(), region);

  function skip(event) {
    event.preventDefault(); // the part behind # is the view
    main.focus();
  }

  function draw() {
    const name = state.host?.name || state.session?.name || "host";
    const version = state.host?.version || state.session?.version;
    host.replaceChildren(h("img", { src: "/assets/icon.svg", alt: "", width: 22, height: 22 }), h("strong", {}, name), version ? h("small", {}, version) : "");
    const { bad } = counts();
    document.title = [bad ? `(${bad})` : "", titled, name].filter(Boolean).join(" ");
    const s = state.session;
    nav.hidden = !s || s.role === "none";
    user.replaceChildren(...(s?.auth === false || !s?.user ? [] : [h("span", { class: "muted" }, s.user, s.role === "read" ? ` · ${t("session.read")}` : "")]),
      ...(s && s.role === "read" ? [h("button", { type: "button", class: "button small", onclick: signin }, t("signin.button"))] : []),
      ...(s?.auth === false || !s?.user || s.role === "none" ? [] : [h("button", { type: "button", class: "button small", onclick: signOut }, t("signout"))]));
  }

  async function signOut() {
    try {
      await post("signout");
      signedOut();
    } catch (error) {
      failed(t("act.failed"), error);
    }
  }

  // A reconnect of a second is nobody's concern.
  const late = scope.soon(1500, connection);
  function connection() {
    const lost = state.connection === "lost" && state.session?.role !== "none";
    banner.hidden = !lost;
    if (lost) banner.replaceChildren(icon("unhealthy"), h("span", {}, t("connection.lost")), h("button", { type: "button", class: "button small", onclick: reconnect }, t("connection.again")));
    document.body.classList.toggle("stale", lost);
  }

  let titled = "";
  scope.on("connection", () => (state.connection === "lost" ? late() : connection()));
  scope.on("host", draw);
  scope.on("services", draw);
  scope.on("session", () => {
    draw();
    connection();
  });
  draw();
  return {
    node,
    main,
    // at marks the view that is shown.
    at(name, title) {
      titled = title;
      links.forEach((a, i) => setAttr(a, "aria-current", VIEWS[i][0] === name ? "page" : null));
      draw();
    },
  };
}

function languageButton(redraw) {
  const other = languages[1 - language()];
  return h("button", { type: "button", class: "ghost", lang: other[0], "aria-label": other[1], title: other[1], onclick: () => {
    setLanguage(other[0]);
    redraw();
  } }, other[1]);
}
