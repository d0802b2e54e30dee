// Output as text: colours become classes, every other escape sequence goes, and characters that a terminal
// would obey are shown instead.

// CSI, OSC (ended by BEL or ST), other string sequences, and two-character ones.
const ESCAPE = /\x1b(?:\[([0-9;:?<=>]*)[ -/]*([@-~])|\][^\x07\x1b]*(?:\x07|\x1b\\)?|[PX^_][^\x1b]*(?:\x1b\\)?|[ -/]*[0-~])/g;
// Controls, and the characters by which text is turned around or hidden.
const ODD = /[\x00-\x08\x0b-\x1f\x7f\x80-\x9f\u200b\u200e\u200f\u202a-\u202e\u2060-\u2069\ufeff]/g;

const visible = (c) => {
  const code = c.charCodeAt(0);
  if (code < 0x20) return String.fromCharCode(0x2400 + code);
  return code === 0x7f ? "\u2421" : "\ufffd";
};

// clean is text of which every character can be seen.
export const clean = (text) => text.replace(ODD, visible);

// plain is a line without its escape sequences.
export const plain = (line) => clean(line.replace(ESCAPE, "").replace(/\r+$/, ""));

// pieces are [text, classes] of a line, in order.
export function pieces(line) {
  const out = [];
  const style = { color: null, bold: false, dim: false, underline: false };
  let from = 0;
  const push = (text) => {
    if (text) out.push([clean(text), classes(style)]);
  };
  line = line.replace(/\r+$/, "");
  for (const m of line.matchAll(ESCAPE)) {
    push(line.slice(from, m.index));
    from = m.index + m[0].length;
    if (m[2] === "m") select(style, m[1]);
  }
  push(line.slice(from));
  return out;
}

function classes(s) {
  return [s.color !== null && `ansi-${s.color}`, s.bold && "ansi-bold", s.dim && "ansi-dim", s.underline && "ansi-underline"].filter(Boolean).join(" ");
}

function select(style, parameters) {
  const codes = parameters.split(/[;:]/).map(Number);
  for (let i = 0; i < codes.length; i++) {
    const c = codes[i];
    if (c === 0) Object.assign(style, { color: null, bold: false, dim: false, underline: false });
    else if (c === 1) style.bold = true;
    else if (c === 2) style.dim = true;
    else if (c === 4) style.underline = true;
    else if (c === 22) style.bold = style.dim = false;
    else if (c === 24) style.underline = false;
    else if (c >= 30 && c <= 37) style.color = c - 30;
    else if (c >= 90 && c <= 97) style.color = c - 90;
    else if (c === 39) style.color = null;
    else if (c === 38 || c === 48) {
      const [value, used] = extended(codes.slice(i + 1));
      if (c === 38) style.color = value;
      i += used;
    }
  }
}

// extended maps a colour of 256 or of 16 million to one of the eight, which the themes make legible.
function extended([kind, a = 0, g = 0, b = 0]) {
  if (kind === 5) {
    if (a < 16) return [a % 8, 2];
    if (a >= 232) return [a > 243 ? 7 : 0, 2];
    const n = a - 16;
    return [nearest(Math.floor(n / 36) * 51, (Math.floor(n / 6) % 6) * 51, (n % 6) * 51), 2];
  }
  if (kind === 2) return [nearest(a, g, b), 4];
  return [null, 1];
}

function nearest(r, g, b) {
  const half = Math.max(r, g, b) / 2;
  return (r > half ? 1 : 0) + (g > half ? 2 : 0) + (b > half ? 4 : 0);
}
