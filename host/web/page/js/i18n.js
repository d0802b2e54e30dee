// The language: English or Chinese, the browser's own at first, then what was chosen.

import { words } from "./words.js";

export const languages = [["en", "English"], ["zh", "中文"]];

let at = pick();

function pick() {
  const kept = read("lang");
  if (kept === "en" || kept === "zh") return kept;
  return (navigator.languages ?? [navigator.language]).map((l) => l.slice(0, 2)).find((l) => l === "en" || l === "zh") ?? "en";
}

export function language() {
  return at === "zh" ? 1 : 0;
}

export function setLanguage(lang) {
  at = lang;
  keep("lang", lang);
  applyLanguage();
}

// applyLanguage tells the browser which one it is: for hyphens, fonts and voices.
export function applyLanguage() {
  const lang = at;
  document.documentElement.lang = lang === "zh" ? "zh-CN" : "en";
}

// t is a text of the dictionary. {name} is replaced; "one|many" is chosen by n.
export function t(key, values) {
  const both = words[key];
  if (!both) return key;
  let text = both[language()];
  if (text.includes("|")) {
    const [one, many] = text.split("|");
    text = values?.n === 1 ? one : many;
  }
  return values ? text.replace(/\{(\w+)\}/g, (all, name) => values[name] ?? all) : text;
}

// word is t for what a host says, which may be newer than this page: then it stands as it came.
export function word(group, value) {
  const key = `${group}.${value}`;
  return words[key] ? t(key) : String(value).replaceAll("_", " ");
}

export function read(name) {
  try {
    return localStorage.getItem(name);
  } catch {
    return null; // storage is switched off
  }
}

export function keep(name, value) {
  try {
    if (value === null) localStorage.removeItem(name);
    else localStorage.setItem(name, value);
  } catch {
    // It holds until the page is closed, then.
  }
}
