package spec

import (
	"reflect"
	"slices"
	"strconv"
	"strings"
)

// elements are the mappings of a list of groups; a single one is taken for a list of one. What is none is reported
// and left out. each is called with the place of the element in the path.
func (d *decoder) elements(n *node, example string, each func(i int, n *node)) {
	items := n.items
	if n.kind == mapNode {
		items = []*node{n}
	} else if n.kind != listNode {
		d.fail(n, words("for example "+example, "must be a list, found %s", n.shape()))
		return
	}
	for i, item := range items {
		d.push(strconv.Itoa(i))
		if item.kind != mapNode {
			d.fail(item, words("for example "+example, "must be a mapping, found %s", item.shape()))
		} else {
			each(i, item)
		}
		d.pop()
	}
}

// shape is describe for what may be a secret.
func (n *node) shape() string {
	if n.kind == scalarNode {
		return "a text"
	}
	return n.describe()
}

// list decodes a list of groups of plain keys.
func (d *decoder) list(n *node, k *keyNode, field reflect.Value) {
	out := reflect.MakeSlice(field.Type(), 0, len(n.items))
	names := map[string]bool{}
	d.elements(n, "{name: grafana, file: secrets/grafana}", func(_ int, item *node) {
		before := len(d.l.problems)
		fresh, base := reflect.New(field.Type().Elem()).Elem(), reflect.New(field.Type().Elem()).Elem()
		if token, ok := fresh.Addr().Interface().(*HTTPToken); ok {
			token.Role = RoleRead
			base.Set(fresh)
		}
		d.group(item, k.children["*"], fresh, base)
		if token, ok := fresh.Interface().(HTTPToken); ok && len(d.l.problems) == before {
			targetCheck{d, item, item}.token(token, names)
		}
		out = reflect.Append(out, fresh)
	})
	field.Set(out)
}

// optional decodes a group that may be absent.
func (d *decoder) optional(n *node, k *keyNode, field reflect.Value) {
	fresh, base := reflect.New(field.Type().Elem()), reflect.New(field.Type().Elem())
	for _, v := range []reflect.Value{fresh, base} {
		if mail, ok := v.Interface().(*SMTP); ok {
			*mail = defaultSMTP
		}
	}
	d.group(n, k, fresh.Elem(), base.Elem())
	field.Set(fresh)
}

// enums decodes a list of values of an enumeration, or one.
func (d *decoder) enums(n *node, k *keyNode, field reflect.Value) {
	items := n.items
	if n.kind != listNode {
		items = []*node{n}
	}
	out := reflect.MakeSlice(field.Type(), 0, len(items))
	var seen []string
	for _, item := range items {
		s, ok := d.text(item)
		if !ok {
			continue
		}
		v, err := d.enum(s, k)
		if err != nil {
			d.fail(item, err)
			continue
		}
		if slices.Contains(seen, v) {
			d.problem(item, "%s is listed twice", quote(v))
		}
		seen = append(seen, v)
		out = reflect.Append(out, reflect.ValueOf(v).Convert(field.Type().Elem()))
	}
	if len(items) == 0 {
		d.fail(n, words("leave it out for "+k.def, "needs at least one of %s", strings.Join(k.enum, ", ")))
	}
	field.Set(out)
}
