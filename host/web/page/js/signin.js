// Signing in with a token.

import { post } from "./api.js";
import { h, setText } from "./dom.js";
import { t } from "./i18n.js";

// signinView asks for a token and calls done with the session.
export function signinView(done, name) {
  const problem = h("p", { class: "field-problem", role: "alert", id: "signin-problem", hidden: true });
  const field = h("input", { type: "password", name: "token", required: true, autocomplete: "current-password", autocapitalize: "off", spellcheck: "false", "aria-describedby": "signin-problem signin-hint" });
  const button = h("button", { class: "button primary", type: "submit" }, t("signin.button"));
  const form = h("form", { class: "panel signin", onsubmit: submit },
    h("img", { src: "/assets/icon.svg", alt: "", width: 40, height: 40 }),
    h("h1", { tabindex: "-1" }, name ? t("signin.title", { name }) : t("signin.title.plain")),
    h("input", { type: "text", name: "username", value: name ?? "", autocomplete: "username", hidden: true }), h("label", { class: "field" }, h("span", {}, t("signin.token")), field), problem, button,
    h("p", { class: "muted", id: "signin-hint" }, t("signin.hint"), " ", h("code", {}, "host dashboard")));

  async function submit(event) {
    event.preventDefault();
    button.disabled = true;
    problem.hidden = true;
    try {
      await post("signin", { token: field.value.trim() });
      await done();
    } catch (error) {
      setText(problem, error.hint ? `${error.message} – ${error.hint}` : error.message);
      problem.hidden = false;
      field.focus();
      field.select();
    } finally {
      button.disabled = false;
    }
  }

  return { node: form, title: t("signin.button"), ready: () => field.focus(), key: () => false };
}
