// Package page holds the dashboard as files that are part of the program: HTML, CSS, ES modules and one chart
// library. It needs no build step and loads nothing from elsewhere. Who serves it is another package's matter.
package page

import "embed"

// Files is the page. index.html is to be served at / and at nothing else; it asks for the others below
// /assets/, by their names in here: /assets/app.js, /assets/js/list.js, /assets/vendor/uPlot.min.css. There is
// no inline script and no inline style, so that `default-src 'self'` is all that a policy needs to allow.
//
//go:embed index.html app.css app.js icon.svg css js vendor
var Files embed.FS
