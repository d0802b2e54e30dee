package cli

import (
	"fmt"
	"io"
	"path/filepath"
	"strings"

	"servicehost/spec"
)

// writeProblems shows problems the way compilers do: file:line:col: path: message; hint.
func (a *app) writeProblems(w io.Writer, p palette, problems []spec.Problem) {
	for _, one := range problems {
		place := clean(a.shown(one.File))
		if one.Line > 0 {
			place += fmt.Sprintf(":%d", one.Line)
			if one.Column > 0 {
				place += fmt.Sprintf(":%d", one.Column)
			}
		}
		text := p.bold(place+":") + " "
		if one.Path != "" {
			text += clean(one.Path) + ": "
		}
		text += p.red(clean(one.Message))
		if one.Hint != "" {
			text += "; " + clean(one.Hint)
		}
		fmt.Fprintln(w, text)
	}
}

// writeAnnotations shows problems as GitHub's CI takes them.
func writeAnnotations(w io.Writer, level string, problems []spec.Problem) {
	for _, one := range problems {
		place := "file=" + property(filepath.ToSlash(display(one.File)))
		if one.Line > 0 {
			place += fmt.Sprintf(",line=%d", one.Line)
			if one.Column > 0 {
				place += fmt.Sprintf(",col=%d", one.Column)
			}
		}
		// GitHub's log shows the message alone, without any title.
		text := one.Message
		if one.Path != "" {
			text = one.Path + ": " + text
		}
		if one.Hint != "" {
			text += "; " + one.Hint
		}
		fmt.Fprintf(w, "::%s %s::%s\n", level, place, data(text))
	}
}

// data and property escape what would end an annotation or one of its properties.
func data(s string) string {
	return strings.NewReplacer("%", "%25", "\r", "%0D", "\n", "%0A").Replace(s)
}

func property(s string) string {
	return strings.NewReplacer("%", "%25", "\r", "%0D", "\n", "%0A", ":", "%3A", ",", "%2C").Replace(s)
}
