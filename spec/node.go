package spec

import (
	"fmt"
	"strconv"
	"strings"

	"gopkg.in/yaml.v3"
)

// nodeKind is the shape of a node.
type nodeKind uint8

const (
	nullNode nodeKind = iota
	scalarNode
	listNode
	mapNode
	keptNode // a service that is taken over; height says which of the loader's
)

// node is one value of a file: yaml.Node with merge keys and aliases resolved, keys known to be
// unique, and the file it stands in. Nodes are never changed once parsed, and may be shared.
type node struct {
	kind   nodeKind
	quoted bool // a scalar in single or double quotes, or a block
	double bool // a scalar in double quotes
	line   int32
	column int32
	weight int32 // nodes beneath and this one, aliases expanded
	height int32 // levels beneath, aliases expanded
	src    *source
	value  string // of a scalar
	pairs  []pair // of a mapping
	items  []*node
}

// pair is one entry of a mapping; key is a scalar node.
type pair struct {
	key *node
	val *node
}

// get returns the value of a key, and the key.
func (n *node) get(name string) (val, key *node) {
	if n == nil {
		return nil, nil
	}
	for i := range n.pairs {
		if n.pairs[i].key.value == name {
			return n.pairs[i].val, n.pairs[i].key
		}
	}
	return nil, nil
}

// describe says what was found, for a message about what should have been there.
func (n *node) describe() string {
	switch n.kind {
	case nullNode:
		return "nothing"
	case listNode:
		return "a list"
	case mapNode:
		return "a mapping"
	}
	return quote(n.value)
}

// quote shows a value of the user in a message: short, on one line, its backslashes as they are.
func quote(s string) string {
	const limit = 80
	cut := false
	for i := range s {
		if i >= limit {
			s, cut = s[:i], true
			break
		}
	}
	clean := strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f {
			return -1
		}
		return r
	}, s)
	if clean != s {
		s = fmt.Sprintf("%q", s)
		s = s[1 : len(s)-1]
	}
	if cut {
		s += "…"
	}
	return `"` + s + `"`
}

// Limits of one tree. A real file of 1000 services has some ten thousand nodes, ten levels deep.
const (
	maxDepth  = 64
	maxWeight = 400_000
)

// treeBuilder turns a yaml.Node into a node.
type treeBuilder struct {
	src    *source
	report func(Problem)
	path   []string
	done   map[*yaml.Node]*node // anchors already built
	open   map[*yaml.Node]bool  // anchors being built
	slab   []node
	alias  bool // one was followed
	inside bool // an anchor stands among the services
	failed bool // too deep or too large: said once, nothing more is built
}

func (b *treeBuilder) problem(y *yaml.Node, message, hint string) {
	b.report(Problem{File: b.src.name, Line: y.Line, Column: y.Column,
		Path: strings.Join(b.path, "."), Message: message, Hint: hint})
}

func (b *treeBuilder) fail(y *yaml.Node, message string) *node {
	if !b.failed {
		b.failed = true
		b.problem(y, message, "")
	}
	return nil
}

func (b *treeBuilder) alloc(y *yaml.Node, kind nodeKind) *node {
	if len(b.slab) == 0 {
		b.slab = make([]node, 256)
	}
	n := &b.slab[0]
	b.slab = b.slab[1:]
	*n = node{kind: kind, line: b.src.place(y.Line), column: int32(y.Column), weight: 1, src: b.src}
	return n
}

// build returns nil where there is nothing to go on with; the reason is reported.
func (b *treeBuilder) build(y *yaml.Node, depth int) *node {
	if b.failed {
		return nil
	}
	if depth > maxDepth {
		return b.fail(y, fmt.Sprintf("is nested more than %d levels deep", maxDepth))
	}
	switch y.Kind {
	case yaml.DocumentNode:
		return b.build(y.Content[0], depth)
	case yaml.AliasNode:
		if b.open[y.Alias] {
			return b.fail(y, fmt.Sprintf("the anchor &%s contains itself", y.Value))
		}
		if n := b.done[y.Alias]; n != nil {
			b.alias = true
			return n
		}
		return nil
	}
	if y.Anchor != "" {
		b.inside = b.inside || len(b.path) > 0 && b.path[0] == "services"
		b.open[y] = true
		defer delete(b.open, y)
	}
	if y.Tag != "" && !strings.HasPrefix(y.Tag, "!!") && y.Tag != "!" {
		b.problem(y, fmt.Sprintf("has the tag %s, which means nothing here", quote(y.Tag)), "")
	}
	var n *node
	switch y.Kind {
	case yaml.ScalarNode:
		n = b.scalar(y)
	case yaml.SequenceNode:
		n = b.alloc(y, listNode)
		n.items = make([]*node, 0, len(y.Content))
		for i, c := range y.Content {
			b.path = append(b.path, strconv.Itoa(i))
			item := b.build(c, depth+1)
			b.path = b.path[:len(b.path)-1]
			if item != nil {
				n.items = append(n.items, item)
				n.add(item)
			}
		}
	case yaml.MappingNode:
		n = b.mapping(y, depth)
	default:
		return nil
	}
	if n != nil && n.weight > maxWeight {
		return b.fail(y, "has too many values"+b.expanded())
	}
	if n != nil && n.height > maxDepth {
		return b.fail(y, fmt.Sprintf("is nested more than %d levels deep%s", maxDepth, b.expanded()))
	}
	if y.Anchor != "" && n != nil {
		b.done[y] = n
	}
	return n
}

// expanded says what made a tree larger than it looks.
func (b *treeBuilder) expanded() string {
	if b.alias {
		return " once its aliases are expanded"
	}
	return ""
}

// add counts a child.
func (n *node) add(child *node) {
	n.weight = min(n.weight+1+child.weight, maxWeight+1)
	n.height = max(n.height, child.height+1)
}

func (b *treeBuilder) scalar(y *yaml.Node) *node {
	if strings.IndexByte(y.Value, 0) >= 0 {
		b.problem(y, "holds a NUL character", "")
	}
	if len(y.Value) > maxServiceText {
		return b.fail(y, fmt.Sprintf("is longer than %d KiB", maxServiceText>>10))
	}
	kind := scalarNode
	if y.Tag == "!!null" {
		kind = nullNode
	}
	n := b.alloc(y, kind)
	n.value = y.Value
	n.quoted = y.Style&(yaml.SingleQuotedStyle|yaml.DoubleQuotedStyle|yaml.LiteralStyle|yaml.FoldedStyle) != 0
	n.double = y.Style&yaml.DoubleQuotedStyle != 0
	return n
}

func (b *treeBuilder) mapping(y *yaml.Node, depth int) *node {
	n := b.alloc(y, mapNode)
	n.pairs = make([]pair, 0, len(y.Content)/2)
	var seen map[string]int // only for mappings too long to search
	if len(y.Content) > 32 {
		seen = make(map[string]int, len(y.Content)/2)
	}
	var merges []*yaml.Node
	for i := 0; i+1 < len(y.Content); i += 2 {
		yk, yv := y.Content[i], y.Content[i+1]
		if yk.Kind == yaml.ScalarNode && yk.Tag == "!!merge" {
			merges = append(merges, yv)
			continue
		}
		if yk.Kind == yaml.AliasNode && yk.Alias.Kind == yaml.ScalarNode {
			line, column := yk.Line, yk.Column
			alias := *yk.Alias
			yk = &alias
			yk.Line, yk.Column, yk.Anchor = line, column, ""
		}
		if yk.Kind != yaml.ScalarNode {
			b.problem(yk, "a key must be plain text", "")
			continue
		}
		key := b.scalar(yk)
		if key == nil {
			return nil
		}
		if yk.Anchor != "" {
			b.inside = b.inside || len(b.path) > 0 && b.path[0] == "services"
			b.done[yk] = key
		}
		b.path = append(b.path, yk.Value)
		first := -1
		if seen != nil {
			if at, ok := seen[yk.Value]; ok {
				first = at
			} else {
				seen[yk.Value] = len(n.pairs)
			}
		} else {
			for at := range n.pairs {
				if n.pairs[at].key.value == yk.Value {
					first = at
					break
				}
			}
		}
		if first >= 0 {
			b.problem(yk, fmt.Sprintf("is given twice; the first is in line %d", n.pairs[first].key.line), "remove one of them")
			b.build(yv, depth+1)
		} else if val := b.build(yv, depth+1); val != nil {
			n.pairs = append(n.pairs, pair{key, val})
			n.add(val)
		} else if seen != nil {
			delete(seen, yk.Value)
		}
		b.path = b.path[:len(b.path)-1]
		if b.failed {
			return nil
		}
	}
	for _, m := range merges {
		b.merge(n, m, depth)
	}
	return n
}

// merge adds what a merge key (<<) refers to; keys that are there already win.
func (b *treeBuilder) merge(n *node, y *yaml.Node, depth int) {
	from := b.build(y, depth+1)
	if from == nil {
		return
	}
	list := []*node{from}
	if from.kind == listNode {
		list = from.items
	}
	have := make(map[string]bool, len(n.pairs))
	for _, p := range n.pairs {
		have[p.key.value] = true
	}
	for _, m := range list {
		if m.kind != mapNode {
			b.problem(y, "a merge key (<<) takes a mapping or a list of mappings, found "+m.describe(), "")
			return
		}
		for _, p := range m.pairs {
			if !have[p.key.value] {
				have[p.key.value] = true
				n.pairs = append(n.pairs, p)
				n.add(p.val)
			}
		}
	}
}
