package spec

import (
	"fmt"
	"slices"
	"strings"
)

// isDrivePath reports whether s begins like a Windows path with a drive, C:\ or C:/.
func isDrivePath(s string) bool {
	return len(s) >= 3 && isLetter(s[0]) && s[1] == ':' && (s[2] == '\\' || s[2] == '/')
}

func isLetter(c byte) bool { return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' }

// quotedRaw returns the text between the double quotes that begin at a place, escapes as they are
// written, when it ends in the same line.
func quotedRaw(text string, line, column int) (string, bool) {
	n := 0
	for s := range strings.Lines(text) {
		n++
		if n < line {
			continue
		}
		col := 0
		for at, r := range s {
			col++
			if col == column {
				if r != '"' {
					return "", false
				}
				return untilQuote(s[at+1:])
			}
		}
		break
	}
	return "", false
}

func untilQuote(s string) (string, bool) {
	for i := 0; i < len(s); i++ {
		switch s[i] {
		case '\\':
			i++
		case '"':
			return s[:i], true
		}
	}
	// A backslash right before the closing quote escapes it: "C:\temp\".
	if end := strings.LastIndexByte(s, '"'); end >= 0 {
		return s[:end], true
	}
	return "", false
}

// escapesOf lists the escapes of a raw double-quoted text that looks like a Windows path; none when
// it is no path or its backslashes are doubled.
func escapesOf(raw string) []string {
	if !strings.Contains(raw, `\`) {
		return nil
	}
	path := false
	for i := range len(raw) {
		if isDrivePath(raw[i:]) && raw[i+2] == '\\' && (i == 0 || strings.IndexByte(" =\t,;'", raw[i-1]) >= 0) {
			path = true
		}
	}
	if !path {
		return nil
	}
	var found []string
	for i := 0; i < len(raw); i++ {
		if raw[i] != '\\' {
			continue
		}
		if i+1 >= len(raw) {
			found = append(found, `\"`)
			break
		}
		i++
		if e := `\` + string(raw[i]); raw[i] != '\\' && raw[i] < 0x80 && !slices.Contains(found, e) {
			found = append(found, e)
		}
	}
	return found
}

// escapedPathWords is what to say about a Windows path in double quotes.
func escapedPathWords(raw string) (message, hint string) {
	escapes := escapesOf(raw)
	return fmt.Sprintf("\"%s\" in double quotes has escapes (%s)", raw, strings.Join(escapes, ", ")),
		fmt.Sprintf("use single quotes: '%s'", strings.ReplaceAll(raw, "'", "''"))
}

// findQuotedPath looks for a Windows path in double quotes in a line and the one behind it.
func findQuotedPath(text string, around int) (line, column int, raw string, ok bool) {
	for n, s := range linesNear(text, around, 1) {
		col := 0
		for at, r := range s {
			col++
			if r != '"' {
				continue
			}
			if raw, ok := untilQuote(s[at+1:]); ok && len(escapesOf(raw)) > 0 {
				return n, col, raw, true
			}
		}
	}
	return 0, 0, "", false
}
