// Where the page is, in the part of the address behind #, so that a link to it can be sent to a colleague.

let leaving = () => {};

// here is the place as {path: ["service", "api.1", "logs"], query}.
export function here() {
  const [path, query = ""] = location.hash.replace(/^#\/?/, "").split("?");
  return { path: path.split("/").filter(Boolean).map(decode), query: new URLSearchParams(query) };
}

function decode(part) {
  try {
    return decodeURIComponent(part);
  } catch {
    return part; // a mangled link leads to "there is no such service", not to a blank page
  }
}

export const link = (...path) => `#/${path.map(encodeURIComponent).join("/")}`;

export const go = (to) => {
  location.hash = to;
};

// note keeps what a view shows in its address, without a step in the history for each letter typed.
export function note(values) {
  const { path, query } = here();
  for (const [name, value] of Object.entries(values)) {
    if (value) query.set(name, value);
    else query.delete(name);
  }
  const tail = query.toString();
  history.replaceState(history.state, "", link(...path) + (tail ? `?${tail}` : ""));
}

export function onMove(fn) {
  removeEventListener("hashchange", leaving);
  leaving = fn;
  addEventListener("hashchange", fn);
}
