package spec

import "strings"

// mergeNodes lays one tree over another: mappings deep, scalars and lists replace. A null removes what
// lies beneath, except among variables of an environment, where null is a value.
func mergeNodes(under, over *node, depth int, env bool) *node {
	if under.kind != mapNode || over.kind != mapNode {
		return over
	}
	out := *over
	out.pairs = make([]pair, 0, len(under.pairs)+len(over.pairs))
	at := make(map[string]int, len(under.pairs))
	for _, p := range under.pairs {
		at[p.key.value] = len(out.pairs)
		out.pairs = append(out.pairs, p)
	}
	removed := false
	for _, p := range over.pairs {
		name := p.key.value
		i, have := at[name]
		switch {
		case p.val.kind == nullNode && !env:
			if have {
				out.pairs[i].val = nil
				removed = true
			}
		case have && out.pairs[i].val != nil && !strings.HasPrefix(name, "x-"):
			out.pairs[i].val = mergeNodes(out.pairs[i].val, p.val, depth+1, name == "env" && (depth == 0 || depth == 1 || depth == 2))
			out.pairs[i].key = p.key
		case have:
			out.pairs[i] = p
		default:
			at[name] = len(out.pairs)
			out.pairs = append(out.pairs, p)
		}
	}
	if removed {
		kept := out.pairs[:0]
		for _, p := range out.pairs {
			if p.val != nil {
				kept = append(kept, p)
			}
		}
		out.pairs = kept
	}
	return &out
}

// expandShorthands rewrites the short forms of services and defaults as mappings, so that they merge deep.
func expandShorthands(root *node) *node {
	return mapPairs(root, func(p pair) pair {
		switch p.key.value {
		case "notify":
			p.val = listOfOne(p.val)
		case "host":
			p.val = mapPairs(p.val, func(h pair) pair {
				if h.key.value == "http" {
					h.val = mapPairs(h.val, func(t pair) pair {
						if t.key.value == "tokens" {
							t.val = listOfOne(t.val)
						}
						return t
					})
				}
				return h
			})
		case "defaults":
			p.val = expandService(p.val)
		case "services":
			p.val = mapPairs(p.val, func(s pair) pair {
				s.val = expandService(s.val)
				return s
			})
		}
		return p
	})
}

func expandService(n *node) *node {
	return mapPairs(n, func(p pair) pair {
		switch {
		case p.key.value == "restart" && p.val.kind == scalarNode:
			key := *p.val
			key.value = "policy"
			p.val = wrap(p.val, pair{&key, p.val})
		case p.key.value == "thresholds":
			p.val = listOfOne(p.val)
		case p.key.value == "depends_on" && p.val.kind == listNode:
			var pairs []pair
			for _, item := range p.val.items {
				if item.kind != scalarNode || strings.Contains(item.value, "${") {
					return p
				}
				pairs = append(pairs, pair{item, wrap(item)})
			}
			p.val = wrap(p.val, pairs...)
		}
		return p
	})
}

// listOfOne makes a list of a mapping that stands for one, so that another replaces it as lists do.
func listOfOne(n *node) *node {
	if n.kind != mapNode {
		return n
	}
	return &node{kind: listNode, line: n.line, column: n.column, src: n.src, items: []*node{n}}
}

// wrap makes a mapping at the place of a node.
func wrap(at *node, pairs ...pair) *node {
	return &node{kind: mapNode, line: at.line, column: at.column, src: at.src, pairs: pairs}
}

func mapPairs(n *node, f func(pair) pair) *node {
	if n == nil || n.kind != mapNode {
		return n
	}
	out := *n
	out.pairs = make([]pair, len(n.pairs))
	for i, p := range n.pairs {
		out.pairs[i] = f(p)
	}
	return &out
}
