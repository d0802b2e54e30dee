package spec

import (
	"errors"
	"fmt"
	"io"
	"iter"
	"regexp"
	"strconv"
	"strings"
	"sync"

	"gopkg.in/yaml.v3"
)

// parse turns a file into a tree. Problems are reported; nil when there is no tree to go on with.
func (l *loader) parse(src *source) *node {
	if strings.TrimSpace(src.text) == "" {
		l.report(Problem{File: src.name, Message: "is empty", Hint: "the smallest file is: services: {}"})
		return nil
	}
	l.marks += countMarks(src.text)
	if l.marks > maxWeight {
		l.report(Problem{File: src.name, Message: fmt.Sprintf("has too many values; all files together may have about %d", maxWeight)})
		return nil
	}
	parts := sourceParts{src: src, cut: cutText(src.text)}
	text, blocks, tail := src.text, []block(nil), 0
	if c := parts.cut; c != nil {
		blocks, tail = c.blocks, c.tail
		if l.former != nil {
			text, blocks, tail = l.reduce(src, c)
		}
	}
	doc, err := parseYAML(text)
	if len(src.shifts) > 0 && (err != nil || doc == nil || !parts.cut.fits(doc, blocks, tail, src.text)) {
		l.doubt = true
		return nil
	}
	if err != nil {
		l.report(explainSyntax(src, err))
		return nil
	}
	if doc == nil {
		l.report(Problem{File: src.name, Message: "holds nothing but comments", Hint: "the smallest file is: services: {}"})
		return nil
	}
	b := treeBuilder{src: src, report: l.report, done: map[*yaml.Node]*node{}, open: map[*yaml.Node]bool{}}
	root := b.build(doc, 0)
	if root == nil || b.failed {
		return nil
	}
	if root.kind == nullNode {
		l.report(Problem{File: src.name, Message: "holds nothing", Hint: "the smallest file is: services: {}"})
		return nil
	}
	if root.kind != mapNode {
		l.report(Problem{File: src.name, Line: int(root.line), Column: int(root.column),
			Message: "must be a mapping with keys such as services, found " + root.describe()})
		return nil
	}
	if parts.cut != nil && (b.inside || len(src.shifts) == 0 && !parts.cut.fits(doc, blocks, tail, src.text)) {
		parts.cut = nil
	}
	if len(src.shifts) > 0 && (parts.cut == nil || !l.complete(root, parts.cut)) {
		l.doubt = true
		return nil
	}
	parts.outside = sumOf(src.text)
	if parts.cut != nil {
		parts.outside = parts.cut.outside(src.text)
		parts.pure = len(root.pairs) == 1
	}
	l.parts = append(l.parts, parts)
	return root
}

// secondDocument is the error of a file that goes on after its document.
type secondDocument struct{ line int }

func (e *secondDocument) Error() string { return "second document" }

// parseYAML returns nil, nil for a text without a document.
func parseYAML(text string) (doc *yaml.Node, err error) {
	defer func() {
		// The library panics on states that it holds to be impossible.
		if r := recover(); r != nil {
			doc, err = nil, fmt.Errorf("yaml: cannot be parsed: %v", r)
		}
	}()
	dec := yaml.NewDecoder(strings.NewReader(text))
	doc = new(yaml.Node)
	if err := dec.Decode(doc); err != nil {
		if errors.Is(err, io.EOF) {
			return nil, nil
		}
		return nil, err
	}
	var next yaml.Node
	switch err := dec.Decode(&next); {
	case err == nil:
		return nil, &secondDocument{next.Line}
	case errors.Is(err, io.EOF):
		return doc, nil
	default:
		return nil, err
	}
}

var yamlLine = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`^line (\d+): `) })

// syntaxWords says in plain words what the library's message means; the first that is contained decides.
var syntaxWords = []struct{ contains, message, hint string }{
	{"mapping values are not allowed", `a ":" does not fit here`, `put a value that holds ": " in single quotes, and check the indentation of this line`},
	{"did not find expected key", "this line does not fit under the lines above it", "check the indentation of this line and of the one above"},
	{"did not find expected '-' indicator", "this line does not fit into the list above it", "begin each element with - in the same column"},
	{"could not find expected ':'", `a key without a ":"`, "write key: value"},
	{"did not find expected ',' or ']'", "a list that begins with [ is not closed, or lacks a comma", ""},
	{"did not find expected ',' or '}'", "a mapping that begins with { is not closed, or lacks a comma", ""},
	{"found unexpected end of stream", "a text in quotes is not closed", ""},
	{"found unknown escape character", "a text in double quotes holds a backslash that is no known escape", "use single quotes: in them a backslash is a plain character"},
	{"did not find expected hexdecimal number", `a text in double quotes holds a \x, \u or \U that no hexadecimal digits follow`, "use single quotes: in them a backslash is a plain character"},
	{"found character that cannot start any token", "a value begins with a character that has a meaning in YAML (such as @ ` % or a tab)", "put the value in single quotes, and indent with spaces"},
	{"found a tab character", "a tab stands in the indentation", "indent with spaces"},
	{"block sequence entries are not allowed", `a list element ("- ") does not fit here`, "begin the list in a line of its own"},
	{"block mapping", "a mapping does not fit here", ""},
	{"control characters are not allowed", "holds a control character", "remove it; it may not be visible in the editor"},
	{"exceeded max depth", "is nested too deep", ""},
	{"did not find expected node content", "a value is missing or begins with a character that has a meaning in YAML", "put the value in single quotes"},
	{"did not find expected <document start>", "the line does not fit behind what stands above it", "check the indentation, and remove lines that begin with % or ..."},
	{"found unknown directive", "a line begins with %, which has a meaning in YAML", "put the value in single quotes"},
	{"did not find expected alphabetic or numeric character", "an & or * without a name behind it", "put a value that begins with & or * in single quotes"},
	{"did not find URI escape", "a value begins with !, which has a meaning in YAML", "put the value in single quotes"},
	{"found undefined tag handle", "a value begins with !, which has a meaning in YAML", "put the value in single quotes"},
	{"invalid Unicode character", "holds an invalid character", ""},
	{"found invalid Unicode character escape code", `a text in double quotes holds a \u or \U that is no character`, "use single quotes: in them a backslash is a plain character"},
}

// explainSyntax turns an error of the library into a problem.
func explainSyntax(src *source, err error) Problem {
	p := Problem{File: src.name}
	if second, ok := errors.AsType[*secondDocument](err); ok {
		p.Line, p.Column = second.line, 1
		p.Message, p.Hint = "a second document begins here; one file holds one", `remove the "---" line, or put it into a file of its own and include it`
		return p
	}
	text := strings.TrimPrefix(err.Error(), "yaml: ")
	p.Line = 1
	if m := yamlLine().FindStringSubmatch(text); m != nil {
		p.Line, _ = strconv.Atoi(m[1])
		text = text[len(m[0]):]
	}
	begin, end := locate(src.text, err.Error(), p.Line)
	p.Line = begin
	if line, column := tabIndent(src.text, end); line > 0 {
		p.Line, p.Column = line, column
		p.Message, p.Hint = "a tab stands in the indentation", "indent with spaces"
		return p
	}
	if strings.Contains(text, "escape") || strings.Contains(text, "hexdecimal") {
		if line, column, raw, ok := findQuotedPath(src.text, p.Line); ok {
			p.Line, p.Column = line, column
			p.Message, p.Hint = escapedPathWords(raw)
			return p
		}
	}
	if name, ok := strings.CutPrefix(text, "unknown anchor '"); ok {
		name, _, _ = strings.Cut(name, "'")
		p.Line, p.Column = findToken(src.text, "*"+name)
		p.Message = "the alias *" + name + " refers to no anchor"
		p.Hint = "write &" + name + " at the value it stands for, above; or put a value that begins with * in single quotes"
		return p
	}
	for _, w := range syntaxWords {
		if strings.Contains(text, w.contains) {
			p.Message, p.Hint = w.message, w.hint
			if inFlow := strings.Contains(text, "did not find expected ','"); inFlow && strings.Contains(src.line(end), "${") {
				p.Line, p.Hint = end, "between [ ] and { } a value with ${…} must stand in quotes"
			}
			return p
		}
	}
	p.Message = "is not valid YAML: " + text
	return p
}

// locateBudget bounds how much text is parsed again to find the place of an error.
const locateBudget = 4 << 20

// locate finds the lines in which a faulty construct begins and in which the parser gave up. The
// library names the beginning of the block around the error, which may be the whole file. around is
// the answer when it can't be told better.
func locate(text, message string, around int) (begin, end int) {
	ends := []int{0}
	for at := range len(text) {
		if text[at] == '\n' {
			ends = append(ends, at+1)
		}
	}
	if ends[len(ends)-1] < len(text) {
		ends = append(ends, len(text))
	}
	budget := locateBudget
	fails := func(lines int) (string, bool) {
		budget -= ends[lines]
		if _, err := parseYAML(text[:ends[lines]]); err != nil {
			return err.Error(), true
		}
		return "", false
	}
	// Once the parser has seen where it gives up, more text changes nothing.
	low, high := 0, len(ends)-1
	for high-low > 1 {
		if budget < 0 {
			return around, around
		}
		middle := (low + high) / 2
		if m, bad := fails(middle); bad && m == message {
			high = middle
		} else {
			low = middle
		}
	}
	// What is left open, a quote or a bracket, begins behind the last text that is whole.
	for line := high - 1; line >= max(0, high-200) && budget > 0; line-- {
		if _, bad := fails(line); !bad {
			return line + 1, high
		}
	}
	return high, high
}

// tabIndent finds a line with a tab before its first character, at most two lines around the place
// that the library names.
func tabIndent(text string, around int) (line, column int) {
	for n, s := range linesNear(text, around, 2) {
		indent := s[:len(s)-len(strings.TrimLeft(s, " \t"))]
		if at := strings.IndexByte(indent, '\t'); at >= 0 && strings.TrimSpace(s) != "" {
			return n, at + 1
		}
	}
	return 0, 0
}

// linesNear yields the lines at most so far away from one of them, with their numbers.
func linesNear(text string, around, away int) iter.Seq2[int, string] {
	return func(yield func(int, string) bool) {
		n := 0
		for s := range strings.Lines(text) {
			n++
			if n > around+away || n >= around-away && !yield(n, s) {
				return
			}
		}
	}
}

// findToken returns the place of the first occurrence of a token, or line 1.
func findToken(text, token string) (line, column int) {
	n := 0
	for s := range strings.Lines(text) {
		n++
		if at := strings.Index(s, token); at >= 0 {
			return n, len([]rune(s[:at])) + 1
		}
	}
	return 1, 0
}
