package spec

import (
	"crypto/sha256"
	"encoding/hex"
	"hash"
	"io"
	"slices"
	"strconv"
	"strings"
)

// Hooks are actions around the life of a service, each list in order.
type Hooks struct {
	PreStart  []Action `key:"pre_start" class:"live" json:",omitzero"` // the first failure keeps it from starting
	PostStart []Action `key:"post_start" class:"live" json:",omitzero"`
	PreStop   []Action `key:"pre_stop" class:"live" json:",omitzero"`
	PostStop  []Action `key:"post_stop" class:"live" json:",omitzero"`
	OnFailure []Action `key:"on_failure" class:"live" json:",omitzero"` // when it is given up
}

// OnChange is what follows a change of env_file, of watched files or of x-config, but a restart.
type OnChange struct {
	Signal string  `json:",omitzero"` // as Step.Do; or
	Action *Action `json:",omitzero"` // an action
}

// actions decodes a list of actions, or one.
func (d *decoder) actions(n *node) []Action {
	items := n.items
	if n.kind == mapNode {
		items = []*node{n}
	} else if n.kind != listNode {
		d.fail(n, words("for example [{exec: [migrate, up], timeout: 1m}]", "must be a list of actions, found %s", n.describe()))
		return nil
	}
	out := make([]Action, 0, len(items))
	for i, item := range items {
		d.push(strconv.Itoa(i))
		if item.kind != mapNode {
			d.fail(item, words("for example {exec: [migrate, up], timeout: 1m}", "must be an action, found %s", item.describe()))
		} else if a, ok := d.action(item); ok {
			out = append(out, *a)
		}
		d.pop()
	}
	return out
}

// onChange decodes restart, {signal: HUP} or an action.
func (d *decoder) onChange(n *node) (*OnChange, bool) {
	if n.kind == scalarNode {
		s, ok := d.text(n)
		if ok && strings.EqualFold(s, "restart") {
			return nil, true
		}
		if ok {
			d.fail(n, words("", "must be restart, {signal: HUP} or an action, found %s", quote(s)))
		}
		return nil, false
	}
	if n.kind != mapNode {
		d.problem(n, "must be restart, {signal: HUP} or an action, found %s", n.describe())
		return nil, false
	}
	if v, _ := n.get("signal"); v != nil && len(n.pairs) == 1 {
		d.push("signal")
		defer d.pop()
		s, ok := d.text(v)
		if !ok {
			return nil, false
		}
		do, err := StepFor(s, d.l.paths.windows)
		if err != nil {
			d.fail(v, err)
			return nil, false
		}
		return &OnChange{Signal: do}, true
	}
	a, ok := d.action(n)
	return &OnChange{Action: a}, ok
}

// contentHash identifies what a node holds, whatever the order of its keys.
func contentHash(n *node) string {
	h := sha256.New()
	writeNode(h, n)
	return hex.EncodeToString(h.Sum(nil)[:8])
}

func writeNode(h hash.Hash, n *node) {
	io.WriteString(h, strconv.Itoa(int(n.kind))+":"+strconv.Itoa(len(n.value))+":"+n.value) //nolint:errcheck // a hash takes everything
	for _, item := range n.items {
		writeNode(h, item)
	}
	pairs := slices.Clone(n.pairs)
	slices.SortFunc(pairs, func(a, b pair) int { return strings.Compare(a.key.value, b.key.value) })
	for _, p := range pairs {
		writeNode(h, p.key)
		writeNode(h, p.val)
	}
	io.WriteString(h, ";") //nolint:errcheck // a hash takes everything
}
