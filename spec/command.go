package spec

import "strings"

// splitCommand splits a command string at blanks. "Double quotes" group and may stand anywhere in a
// word, a backslash is a plain character, and ${…} is kept whole, blanks and quotes in it included.
// There is no shell. Variables are substituted afterwards, so that a value can't add arguments.
func splitCommand(s string) ([]string, error) {
	var args []string
	var word strings.Builder
	inWord, quoted := false, false
	for i := 0; i < len(s); {
		switch c := s[i]; {
		case strings.HasPrefix(s[i:], "$${"):
			word.WriteString("$${")
			inWord = true
			i += 3
		case strings.HasPrefix(s[i:], "${"):
			end := closingBrace(s[i:])
			if end < 0 {
				end = len(s) - i
			}
			word.WriteString(s[i : i+end])
			inWord = true
			i += end
		case c == '"':
			quoted = !quoted
			inWord = true
			i++
		case !quoted && (c == ' ' || c == '\t' || c == '\n' || c == '\r'):
			if inWord {
				args = append(args, word.String())
				word.Reset()
				inWord = false
			}
			i++
		default:
			word.WriteByte(c)
			inWord = true
			i++
		}
	}
	if quoted {
		return nil, words(`write the command as a list if an argument holds a "`, `a " is not closed`)
	}
	if inWord {
		args = append(args, word.String())
	}
	return args, nil
}

// shellWords are arguments that only mean something to a shell.
var shellWords = map[string]bool{"|": true, "||": true, "&&": true, "&": true, ";": true, ">": true, ">>": true, "<": true, "2>&1": true, "2>": true}
