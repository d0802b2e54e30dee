package spec

import (
	"fmt"
	"strings"
)

// envEntry is one variable of an env file.
type envEntry struct {
	name, value string
	line        int
}

// envProblem is what is wrong with a line of an env file.
type envProblem struct {
	line          int
	message, hint string
}

// parseEnvFile reads KEY=value lines. Blank lines and lines that begin with # are skipped, "export "
// before a name too. A value in 'single quotes' is literal; in "double quotes" \n, \r, \t, \", \\ and
// \$ are escapes and it may span lines; else it ends at " #" and is trimmed. Nothing is substituted.
// Where a name is given twice, both are returned.
func parseEnvFile(text string) (entries []envEntry, problems []envProblem) {
	text = strings.ReplaceAll(text, "\r\n", "\n")
	line := 0
	for text != "" {
		s, next, _ := strings.Cut(text, "\n")
		line++
		at, whole := line, text
		text = next
		s = strings.TrimSpace(s)
		if s == "" || s[0] == '#' {
			continue
		}
		if rest, ok := strings.CutPrefix(s, "export"); ok && rest != "" && (rest[0] == ' ' || rest[0] == '\t') {
			s = strings.TrimSpace(rest)
		}
		name, value, ok := strings.Cut(s, "=")
		name = strings.TrimSpace(name)
		if !ok {
			problems = append(problems, envProblem{at, fmt.Sprintf("%s has no \"=\"", quote(s)), "each line is NAME=value"})
			continue
		}
		if name == "" || strings.ContainsAny(name, " \t\"'") {
			problems = append(problems, envProblem{at, fmt.Sprintf("%s is not the name of a variable", quote(name)), "each line is NAME=value"})
			continue
		}
		value = strings.TrimSpace(value)
		switch {
		case strings.HasPrefix(value, "'"), strings.HasPrefix(value, `"`):
			q := value[0]
			// The closing quote may stand lines below.
			from := whole[strings.IndexByte(whole, '=')+1:]
			from = from[strings.IndexByte(from, q):]
			end := closingQuote(from, q)
			if end < 0 {
				problems = append(problems, envProblem{at, fmt.Sprintf("the quote that %s begins with is not closed", quote(name)), ""})
				return entries, problems
			}
			line += strings.Count(from[:end], "\n")
			value, text = from, ""
			if lineEnd := strings.IndexByte(from[end:], '\n'); lineEnd >= 0 {
				value, text = from[:end+lineEnd], from[end+lineEnd+1:]
			}
			rest := strings.TrimSpace(value[end+1:])
			if rest != "" && rest[0] != '#' {
				problems = append(problems, envProblem{at, fmt.Sprintf("text stands behind the closing quote of %s", quote(name)), ""})
				continue
			}
			value = value[1:end]
			if q == '"' {
				if len(escapesOf(value)) > 0 {
					message, hint := escapedPathWords(value)
					problems = append(problems, envProblem{at, message, hint})
					continue
				}
				value = unescapeEnv(value)
			}
		default:
			if strings.HasPrefix(value, "#") {
				value = ""
			}
			for _, mark := range []string{" #", "\t#"} {
				if i := strings.Index(value, mark); i >= 0 {
					value = strings.TrimSpace(value[:i])
				}
			}
		}
		entries = append(entries, envEntry{name, value, at})
	}
	return entries, problems
}

// closingQuote returns the index of the quote that closes the one s begins with, or -1.
func closingQuote(s string, q byte) int {
	for i := 1; i < len(s); i++ {
		if s[i] == '\\' && q == '"' {
			i++
		} else if s[i] == q {
			return i
		}
	}
	return -1
}

var envEscapes = strings.NewReplacer(`\\`, `\`, `\"`, `"`, `\$`, `$`, `\n`, "\n", `\r`, "\r", `\t`, "\t")

func unescapeEnv(s string) string { return envEscapes.Replace(s) }
