// Questions that stop everything else: the browser's own dialog keeps the focus in it and gives it back.

import { h } from "./dom.js";
import { t } from "./i18n.js";

let count = 0;

// ask shows a question and resolves to the form's values, or to null when it was called off.
export function ask({ title, body = [], confirm, danger = false }) {
  const id = `dialog-${++count}`;
  const no = h("button", { type: "button", class: "button", onclick: () => dialog.close() }, t("cancel"));
  const yes = h("button", { type: "submit", class: `button ${danger ? "danger" : "primary"}` }, confirm);
  const form = h("form", { method: "dialog" }, h("h2", { id }, title), body, h("div", { class: "dialog-buttons" }, no, yes));
  const dialog = h("dialog", { class: "dialog", "aria-labelledby": id }, form);
  document.body.append(dialog);
  return new Promise((resolve) => {
    let values = null;
    form.addEventListener("submit", () => (values = Object.fromEntries(new FormData(form))));
    dialog.addEventListener("close", () => {
      dialog.remove();
      resolve(values);
    });
    dialog.showModal();
    (danger ? no : yes).focus(); // Enter by habit must not stop a service
  });
}

// show is a dialog with nothing to decide.
export function show(title, ...body) {
  const id = `dialog-${++count}`;
  const close = h("button", { class: "button primary" }, t("close"));
  const dialog = h("dialog", { class: "dialog wide", "aria-labelledby": id, onclose: () => dialog.remove() },
    h("form", { method: "dialog" }, h("h2", { id }, title), ...body, h("div", { class: "dialog-buttons" }, close)));
  document.body.append(dialog);
  dialog.showModal();
  close.focus();
}

export const dialogOpen = () => document.querySelector("dialog[open]") !== null;
