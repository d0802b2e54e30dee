package cli

import (
	"io"
	"os"

	"golang.org/x/term"
)

// terminal is what is known about where output goes.
type terminal struct {
	file  *os.File // nil: not a terminal
	color bool
}

func terminalOf(w io.Writer) terminal {
	f, ok := w.(*os.File)
	if !ok || !term.IsTerminal(int(f.Fd())) {
		return terminal{}
	}
	return terminal{file: f, color: os.Getenv("NO_COLOR") == "" && enableColors(f)}
}

// size is that of the screen; 0, 0 means no screen and no limit.
func (t terminal) size() (width, height int) {
	if t.file == nil {
		return 0, 0
	}
	w, h, err := term.GetSize(int(t.file.Fd()))
	if err != nil {
		return 0, 0
	}
	return w, h
}

// palette colours text, or leaves it as it is.
type palette struct{ on bool }

func (p palette) paint(code, s string) string {
	if !p.on || s == "" || code == "" {
		return s
	}
	return "\x1b[" + code + "m" + s + "\x1b[0m"
}

const (
	red    = "31"
	green  = "32"
	yellow = "33"
	bold   = "1"
	dim    = "2"
)

func (p palette) red(s string) string    { return p.paint(red, s) }
func (p palette) green(s string) string  { return p.paint(green, s) }
func (p palette) yellow(s string) string { return p.paint(yellow, s) }
func (p palette) bold(s string) string   { return p.paint(bold, s) }
func (p palette) dim(s string) string    { return p.paint(dim, s) }

// serviceColors tell services apart in merged output; red is left to errors.
var serviceColors = []string{"36", "32", "35", "33", "34", "96", "92", "95", "93", "94"}
