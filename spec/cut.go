package spec

import (
	"crypto/sha256"
	"slices"
	"strings"

	"gopkg.in/yaml.v3"
)

// cut is the text of a file divided by its lines: what stands before the services, one block for each of them,
// and what stands behind. It is a guess, as lines know nothing of YAML, until fits has held it against what
// the parser saw.
type cut struct {
	blocks   []block
	line     int // of the key services
	column   int // of the names of the services
	from, to int // where the blocks begin and end in the text
	tail     int // the line behind the blocks
}

// block is the text of one service: from its name to the next one.
type block struct {
	name     string
	line     int
	from, to int
	sum      [16]byte
	kept     *kept // what is taken over instead of parsing it; nil: nothing is
}

// cutText returns nil for a text that is not written line by line, as nearly every file is.
func cutText(text string) *cut {
	for _, other := range []string{"\u0085", "\u2028", "\u2029"} { // which are ends of lines in YAML
		if strings.Contains(text, other) {
			return nil
		}
	}
	if strings.Count(text, "\r") != strings.Count(text, "\r\n") {
		return nil
	}
	c := &cut{to: len(text)}
	number := 0
	for at := 0; at < len(text) && c.tail == 0; {
		line := text[at:]
		if end := strings.IndexByte(line, '\n'); end >= 0 {
			line = line[:end+1]
		}
		from := at
		at += len(line)
		number++
		if c.line == 0 {
			if rest, ok := strings.CutPrefix(line, "services:"); ok && isRemark(rest) {
				c.line = number
			}
			continue
		}
		indent := len(line) - len(strings.TrimLeft(line, " "))
		switch content := line[indent:]; {
		case isRemark(content):
		case indent == 0 || len(c.blocks) > 0 && indent+1 < c.column:
			c.to, c.tail = from, number
		case len(c.blocks) > 0 && indent+1 > c.column:
		default:
			name := nameOf(content)
			if name == "" {
				return nil
			}
			if len(c.blocks) == 0 {
				c.column, c.from = indent+1, from
			}
			c.blocks = append(c.blocks, block{name: name, line: number, from: from})
		}
	}
	if len(c.blocks) == 0 {
		return nil
	}
	if c.tail == 0 {
		c.tail = number + 1
	}
	buf := make([]byte, 0, 4096)
	for i := range c.blocks {
		b := &c.blocks[i]
		if b.to = c.to; i+1 < len(c.blocks) {
			b.to = c.blocks[i+1].from
		}
		b.sum = sumIn(buf, text[b.from:b.to])
	}
	return c
}

func sumOf(text string) [16]byte { return sumIn(nil, text) }

// sumIn needs no memory where there is enough of it in a buffer.
func sumIn(buf []byte, text string) [16]byte {
	sum := sha256.Sum256(append(buf[:0], text...))
	return [16]byte(sum[:16])
}

// isRemark reports whether the rest of a line says nothing.
func isRemark(s string) bool {
	s = strings.TrimLeft(s, " \r\n")
	return s == "" || s[0] == '#'
}

// nameOf returns the name of a service that a line begins with; "" where it begins with anything else.
func nameOf(line string) string {
	for i := range len(line) {
		switch c := line[i]; {
		case isLetter(c) || c >= '0' && c <= '9' || i > 0 && (c == '-' || c == '_'):
		case c == ':' && i > 0 && i+1 < len(line) && (line[i+1] == ' ' || line[i+1] == '\n' || line[i+1] == '\r'):
			return line[:i]
		default:
			return ""
		}
	}
	return ""
}

// outside is the sum of what is not the text of a service.
func (c *cut) outside(text string) [16]byte {
	head, tail := sumOf(text[:c.from]), sumOf(text[c.to:])
	return sumOf(string(head[:]) + string(tail[:]))
}

// fits reports whether the parser sees exactly these blocks where the lines say, so that each of them stands
// for itself: nothing begins in one and ends in another.
func (c *cut) fits(doc *yaml.Node, blocks []block, tail int, text string) bool {
	root := doc.Content[0]
	if root.Kind != yaml.MappingNode || root.Style != 0 {
		return false
	}
	at := slices.IndexFunc(root.Content, func(n *yaml.Node) bool { return n.Line == c.line })
	if at < 0 || at%2 != 0 || root.Content[at].Value != "services" || root.Content[at].Column != 1 {
		return false
	}
	if at+2 < len(root.Content) {
		if root.Content[at+2].Line != tail {
			return false
		}
	} else if c.to != len(text) {
		return false
	}
	services := root.Content[at+1]
	if services.Kind != yaml.MappingNode || services.Style != 0 || services.Anchor != "" || len(services.Content) != 2*len(blocks) {
		return false
	}
	for i, b := range blocks {
		k := services.Content[2*i]
		if k.Kind != yaml.ScalarNode || k.Style != 0 || k.Line != b.line || k.Column != c.column || k.Value != b.name {
			return false
		}
	}
	return true
}
