// Builders of elements. Text only ever becomes a text node: what comes from a service is never parsed.

const SVG = "http://www.w3.org/2000/svg";

export const h = (tag, props, ...children) => fill(document.createElement(tag), props, children);
export const svg = (tag, props, ...children) => fill(document.createElementNS(SVG, tag), props, children);

// Props are attributes, but for those that begin with "on", which are listeners. null, undefined and false are
// left out, of children too.
function fill(node, props, children) {
  for (const [key, value] of Object.entries(props ?? {})) {
    if (value === null || value === undefined || value === false) continue;
    if (key.startsWith("on")) node.addEventListener(key.slice(2), value);
    else node.setAttribute(key, value === true ? "" : value);
  }
  node.append(...children.flat(2).filter((c) => c !== null && c !== undefined && c !== false));
  return node;
}

// wide is a box for what may be wider than the window; it takes the focus, for the arrow keys scroll it.
export const wide = (label, ...children) => h("div", { class: "scroll-x", role: "group", "aria-label": label, tabindex: "0" }, ...children);

// setText touches the page only where the text is another one.
export function setText(node, text) {
  if (node.textContent !== text) node.textContent = text;
}

export function setAttr(node, name, value) {
  if (value === null || value === undefined || value === false) node.removeAttribute(name);
  else if (node.getAttribute(name) !== String(value)) node.setAttribute(name, value === true ? "" : value);
}

// typing reports whether keys go to a field at the moment.
export function typing(event) {
  const at = event.target;
  return at instanceof HTMLElement && (at.isContentEditable || /^(INPUT|TEXTAREA|SELECT)$/.test(at.tagName));
}

let probe;
const colors = new Map();

// color resolves a colour of the style sheet for a canvas, which knows nothing of variables and themes. To ask
// makes the browser lay out the page, so each is asked for once.
export function color(name) {
  if (!colors.has(name)) colors.set(name, resolved(name));
  return colors.get(name);
}

// forgetColors is for a change of theme.
export const forgetColors = () => colors.clear();

function resolved(name) {
  if (!probe) {
    probe = h("i", { hidden: true });
    document.body.append(probe);
  }
  probe.style.color = `var(${name})`;
  return getComputedStyle(probe).color;
}
