// Numbers and times as people read them. Times are local and written the same in every language.

import { t } from "./i18n.js";
import { serverNow } from "./store.js";

const UNITS = ["B", "KiB", "MiB", "GiB", "TiB"];

export function bytes(n) {
  if (!Number.isFinite(n)) return "–";
  let i = 0;
  while (Math.abs(n) >= 1024 && i < UNITS.length - 1) {
    n /= 1024;
    i++;
  }
  return `${i === 0 || n >= 100 ? Math.round(n) : n >= 10 ? trim(n.toFixed(1)) : trim(n.toFixed(2))} ${UNITS[i]}`;
}

export function percent(n) {
  if (!Number.isFinite(n)) return "–";
  return `${n >= 100 ? Math.round(n) : n.toFixed(1)}%`;
}

const trim = (s) => s.replace(/\.?0+$/, "");

const ENGLISH = { d: "d", h: "h", m: "m", s: "s", gap: " " };
const units = () => Object.fromEntries(Object.keys(ENGLISH).map((u) => [u, t(`unit.${u}`)]));

// span is a length of time in its two largest units: 4d 2h, 3m 5s, 12s.
export function span(ms, unit = units()) {
  const s = Math.max(0, Math.floor(ms / 1000));
  const parts = [[86400, "d"], [3600, "h"], [60, "m"], [1, "s"]];
  const first = parts.findIndex(([size]) => s >= size);
  if (first < 0) return ms > 0 && ms < 1000 ? `${Math.round(ms)} ms` : `0${unit.s}`;
  const [size, name] = parts[first];
  const whole = Math.floor(s / size);
  const next = parts[first + 1];
  const rest = next && whole < 10 ? Math.floor((s % size) / next[0]) : 0;
  return `${whole}${unit[name]}${rest ? `${unit.gap}${rest}${unit[next[1]]}` : ""}`;
}

// moment is a time that may be missing; Go writes year 1 for none.
export function moment(text) {
  if (!text || text.startsWith("0001-")) return null;
  const ms = Date.parse(text);
  return Number.isNaN(ms) ? null : ms;
}

export const since = (text) => {
  const at = moment(text);
  return at === null ? "–" : span(serverNow() - at);
};

export const until = (text) => {
  const at = moment(text);
  return at === null ? "–" : span(wholeSeconds(at - serverNow()));
};

// A countdown goes by seconds, also in the last one.
const wholeSeconds = (ms) => Math.ceil(Math.max(0, ms) / 1000) * 1000;

// untilInEnglish stands within a sentence of the host, which is English.
export const untilInEnglish = (text) => span(wholeSeconds((moment(text) ?? 0) - serverNow()), ENGLISH);

const two = (n) => String(n).padStart(2, "0");

export function clock(ms) {
  const d = new Date(ms);
  return `${two(d.getHours())}:${two(d.getMinutes())}:${two(d.getSeconds())}`;
}

export function day(ms) {
  const d = new Date(ms);
  return `${d.getFullYear()}-${two(d.getMonth() + 1)}-${two(d.getDate())}`;
}

// when leaves the day out where it is today.
export const when = (ms) => (day(ms) === day(Date.now()) ? clock(ms) : full(ms));
export const full = (ms) => `${day(ms)} ${clock(ms)}`;

// fileName is the last part of a path of either system.
export const fileName = (path) => path.split(/[\\/]/).pop();
