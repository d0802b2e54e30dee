package spec

import (
	"fmt"
	"strings"
)

// Problem is one thing that is wrong with a spec, at its place.
type Problem struct {
	File    string `json:"file"`
	Line    int    `json:"line"`   // 1-based; 0 when there is no place
	Column  int    `json:"column"` // 1-based, in characters; 0 when unknown
	Path    string `json:"path"`   // services.api.restart.delay
	Message string `json:"message"`
	Hint    string `json:"hint"`
}

// String is the one-line form: file:line:col: path: message; hint.
func (p Problem) String() string {
	var b strings.Builder
	b.WriteString(p.File)
	if p.Line > 0 {
		fmt.Fprintf(&b, ":%d", p.Line)
		if p.Column > 0 {
			fmt.Fprintf(&b, ":%d", p.Column)
		}
	}
	b.WriteString(": ")
	if p.Path != "" {
		b.WriteString(p.Path + ": ")
	}
	b.WriteString(p.Message)
	if p.Hint != "" {
		b.WriteString("; " + p.Hint)
	}
	return b.String()
}

// Problems is every problem of one load, ordered by file and place.
type Problems []Problem

// Error joins all problems, one a line.
func (ps Problems) Error() string {
	lines := make([]string, len(ps))
	for i, p := range ps {
		lines[i] = p.String()
	}
	return strings.Join(lines, "\n")
}
