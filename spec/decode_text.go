package spec

import (
	"strconv"
	"strings"
	"unicode/utf8"
)

// text returns a scalar as text, its variables replaced.
func (d *decoder) text(n *node) (string, bool) {
	if n.kind != scalarNode {
		d.problem(n, "must be a single value, found %s", n.describe())
		return "", false
	}
	if !d.checkEscapes(n) {
		return "", false
	}
	return d.expand(n, n.value)
}

// expand replaces the variables of a text that stands in a node.
func (d *decoder) expand(n *node, text string) (string, bool) {
	s, err := d.scope.expand(text)
	if err != nil {
		d.fail(n, err)
		return "", false
	}
	if s != text && !utf8.ValidString(s) {
		d.problem(n, "a variable holds bytes that are not UTF-8")
		return "", false
	}
	return s, true
}

// checkEscapes reports a Windows path whose backslashes were taken for escapes.
func (d *decoder) checkEscapes(n *node) bool {
	if !n.double {
		return true
	}
	suspicious := len(n.value) >= 3 && isLetter(n.value[0]) && n.value[1] == ':' && !isSlash(n.value[2])
	for _, r := range n.value {
		if r < ' ' || r == 0x7f || r == 0x85 || r == 0xa0 || r == 0x2028 || r == 0x2029 {
			suspicious = true
		}
	}
	if !suspicious {
		return true
	}
	raw, ok := quotedRaw(n.src.line(int(n.line)), 1, int(n.column))
	if !ok || len(escapesOf(raw)) == 0 {
		return true
	}
	message, hint := escapedPathWords(raw)
	d.l.problemAt(n, strings.Join(d.path, "."), message, hint)
	return false
}

// texts decodes a list of texts; a single one is taken for a list of one.
func (d *decoder) texts(n *node) []string {
	if n.kind == scalarNode {
		if s, ok := d.text(n); ok {
			return []string{s}
		}
		return nil
	}
	if n.kind != listNode {
		d.problem(n, "must be a list, found %s", n.describe())
		return nil
	}
	out := make([]string, 0, len(n.items))
	for i, item := range n.items {
		d.push(strconv.Itoa(i))
		if s, ok := d.text(item); ok {
			out = append(out, s)
		}
		d.pop()
	}
	return out
}

// pathValue makes a path absolute, relative to the folder of the file that says it.
func (d *decoder) pathValue(n *node, s string) (string, error) {
	if d.draft == nil && strings.EqualFold(s, "auto") {
		return "", nil
	}
	if err := checkPath(s, d.l.paths); err != nil {
		return "", err
	}
	return d.l.paths.abs(n.src.dir, s), nil
}

// checkPath refuses what can't be the path of a file or folder.
func checkPath(s string, style pathStyle) error {
	if strings.TrimSpace(s) == "" {
		return words("", "is empty")
	}
	for _, r := range strings.ReplaceAll(s, AutoPort, "") {
		if r < ' ' || r == 0x7f {
			return words("a Windows path belongs into single quotes", "%s holds a control character", quote(s))
		}
	}
	if !style.windows {
		if isDrivePath(s) {
			return words("check it with --platform windows", "%s is a path of Windows", quote(s))
		}
		return nil
	}
	rest := s
	if isDrivePath(s) {
		rest = s[3:]
	} else if strings.HasPrefix(s, `\\?\`) || strings.HasPrefix(s, `\\.\`) {
		return nil
	}
	if at := strings.IndexAny(rest, `<>:"|?*`); at >= 0 {
		return words("", "%s holds the character %q, which no path of Windows may have", quote(s), rest[at])
	}
	for _, part := range strings.FieldsFunc(rest, func(r rune) bool { return r == '/' || r == '\\' }) {
		if reservedDevice(part) {
			return words("", "%s is a device of Windows, no file", quote(part))
		}
	}
	return nil
}
