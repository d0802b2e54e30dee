// A classic script in the head: the theme must stand before the first paint, and modules run too late for that.
(function () {
  try {
    const kept = localStorage.getItem("theme");
    if (kept === "light" || kept === "dark") document.documentElement.dataset.theme = kept;
  } catch {
    // Storage is switched off: the system's theme it is.
  }
})();
