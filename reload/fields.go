package reload

import (
	"maps"
	"reflect"
	"slices"
	"sync"

	"servicehost/spec"
)

// leaf is one field of a struct that has a class, reached by an index path. Structs without a class
// are walked through; "-" fields are left out.
type leaf struct {
	index []int
	path  string
	class string
}

var (
	serviceLeaves = sync.OnceValue(func() []leaf { return leavesOf(reflect.TypeFor[spec.Service](), nil, "") })
	hostLeaves    = sync.OnceValue(func() []leaf { return leavesOf(reflect.TypeFor[spec.Host](), nil, "") })
)

func leavesOf(t reflect.Type, index []int, path string) []leaf {
	var all []leaf
	for i := range t.NumField() {
		f := t.Field(i)
		at, key, class := append(slices.Clone(index), i), f.Tag.Get("key"), f.Tag.Get("class")
		if key == "" { // worked out from others, not written by anybody
			key = snake(f.Name)
		}
		switch {
		case class == "-":
		case class == "" && f.Type.Kind() == reflect.Struct:
			all = append(all, leavesOf(f.Type, at, path+key+".")...)
		default:
			all = append(all, leaf{index: at, path: path + key, class: class})
		}
	}
	return all
}

// snake writes the name of a field the way keys are written: CommandDir is command_dir.
func snake(name string) string {
	var b []byte
	for i, c := range []byte(name) {
		if c >= 'A' && c <= 'Z' {
			if c += 'a' - 'A'; i > 0 {
				b = append(b, '_')
			}
		}
		b = append(b, c)
	}
	return string(b)
}

func (r *Redactor) serviceFields(before, after *spec.Service) []Field {
	if before == after {
		return nil
	}
	a, b := reflect.ValueOf(before).Elem(), reflect.ValueOf(after).Elem()
	var out []Field
	for _, l := range serviceLeaves() {
		if !differs(l, before, after) {
			continue
		}
		x, y := a.FieldByIndex(l.index), b.FieldByIndex(l.index)
		first := len(out)
		switch l.path {
		case binaryPath:
			out = append(out, Field{Path: binaryPath, Old: ShowBinary(before.Binary), New: ShowBinary(after.Binary), Class: l.class})
		case "env":
			out = append(out, r.envFields(before, after)...)
		case "depends_on":
			out = append(out, dependencyFields(before.DependsOn, after.DependsOn)...)
		default:
			out = append(out, r.field(l, x, y))
		}
		if tellable(l, before, after) {
			for n := range out[first:] {
				out[first+n].Class = "live"
			}
		}
	}
	if slices.ContainsFunc(out, func(f Field) bool { return f.Path == "command" }) {
		// Nobody wrote it, and the command that brings it along is shown.
		out = slices.DeleteFunc(out, func(f Field) bool { return f.Path == "command_dir" })
	}
	return out
}

func (r *Redactor) hostFields(before, after *spec.Host) []Field {
	a, b := reflect.ValueOf(before).Elem(), reflect.ValueOf(after).Elem()
	var out []Field
	for _, l := range hostLeaves() {
		x, y := a.FieldByIndex(l.index), b.FieldByIndex(l.index)
		switch {
		case same(x, y):
		case l.path == "log_targets":
			out = append(out, r.targetFields(before.LogTargets, after.LogTargets)...)
		default:
			out = append(out, r.field(l, x, y))
		}
	}
	return out
}

func (r *Redactor) field(l leaf, x, y reflect.Value) Field {
	before, after := clipPair(r.show(l.path, x), r.show(l.path, y))
	return Field{Path: l.path, Old: before, New: after, Class: l.class}
}

func (r *Redactor) envFields(before, after *spec.Service) []Field {
	var out []Field
	for _, name := range names(before.Env, after.Env) {
		x, inOld := before.Env[name]
		y, inNew := after.Env[name]
		if inOld == inNew && (x == y || x != nil && y != nil && *x == *y) {
			continue
		}
		secret := before.EnvFromFile[name] || after.EnvFromFile[name] || SecretName(name)
		show := func(v *string, there bool) string {
			switch {
			case !there:
				return ""
			case v == nil:
				return "(removed)"
			case *v == "":
				return `""`
			case secret:
				return r.Hash(*v)
			}
			return r.Text(readable(*v))
		}
		o, n := clipPair(show(x, inOld), show(y, inNew))
		out = append(out, Field{Path: "env." + name, Old: o, New: n, Class: "restart"})
	}
	return out
}

func dependencyFields(before, after map[string]spec.Dependency) []Field {
	show := func(d spec.Dependency, there bool) string {
		if !there {
			return ""
		}
		s := string(d.Condition)
		if !d.Required {
			s += ", not required"
		}
		if d.Restart {
			s += ", restarts it"
		}
		return s
	}
	var out []Field
	for _, name := range names(before, after) {
		x, inOld := before[name]
		y, inNew := after[name]
		if inOld != inNew || x != y {
			out = append(out, Field{Path: "depends_on." + name, Old: show(x, inOld), New: show(y, inNew), Class: "live"})
		}
	}
	return out
}

func (r *Redactor) targetFields(before, after map[string]spec.LogTarget) []Field {
	var out []Field
	for _, name := range names(before, after) {
		x, y := reflect.ValueOf(before[name]), reflect.ValueOf(after[name])
		for _, l := range leavesOf(x.Type(), nil, "log_targets."+name+".") {
			if l.class = "live"; !same(x.FieldByIndex(l.index), y.FieldByIndex(l.index)) {
				out = append(out, r.field(l, x.FieldByIndex(l.index), y.FieldByIndex(l.index)))
			}
		}
	}
	return out
}

// notifyFields compares the elements of notify by their names.
func (r *Redactor) notifyFields(before, after []spec.Notifier) []Field {
	byName := func(list []spec.Notifier) map[string]spec.Notifier {
		m := make(map[string]spec.Notifier, len(list))
		for _, n := range list {
			m[n.Name] = n
		}
		return m
	}
	old, now := byName(before), byName(after)
	var out []Field
	for _, name := range names(old, now) {
		x, y := reflect.ValueOf(old[name]), reflect.ValueOf(now[name])
		for _, l := range leavesOf(x.Type(), nil, "notify."+name+".") {
			if l.class = "live"; !same(x.FieldByIndex(l.index), y.FieldByIndex(l.index)) {
				out = append(out, r.field(l, x.FieldByIndex(l.index), y.FieldByIndex(l.index)))
			}
		}
	}
	return out
}

func names[V any](a, b map[string]V) []string {
	all := slices.AppendSeq(slices.Collect(maps.Keys(a)), maps.Keys(b))
	slices.Sort(all)
	return slices.Compact(all)
}

// same is reflect.DeepEqual for which an empty list or map is as good as none.
func same(x, y reflect.Value) bool {
	switch x.Kind() {
	case reflect.String:
		return x.String() == y.String()
	case reflect.Bool:
		return x.Bool() == y.Bool()
	case reflect.Int, reflect.Int64:
		return x.Int() == y.Int()
	case reflect.Float64:
		return x.Float() == y.Float()
	case reflect.Slice:
		if x.Len() != y.Len() {
			return false
		}
		for i := range x.Len() {
			if !same(x.Index(i), y.Index(i)) {
				return false
			}
		}
		return true
	case reflect.Map:
		return sameMap(x, y)
	case reflect.Struct:
		for i := range x.NumField() {
			if !same(x.Field(i), y.Field(i)) {
				return false
			}
		}
		return true
	case reflect.Pointer:
		if x.IsNil() || y.IsNil() {
			return x.IsNil() == y.IsNil()
		}
		return same(x.Elem(), y.Elem())
	}
	return reflect.DeepEqual(x.Interface(), y.Interface())
}

func sameMap(x, y reflect.Value) bool {
	if x.Len() != y.Len() {
		return false
	}
	if x.Len() == 0 || x.UnsafePointer() == y.UnsafePointer() {
		return true
	}
	if a, ok := x.Interface().(map[string]*string); ok { // by far the largest
		b := y.Interface().(map[string]*string)
		for k, v := range a {
			w, there := b[k]
			if !there || (v == nil) != (w == nil) || v != nil && *v != *w {
				return false
			}
		}
		return true
	}
	for it := x.MapRange(); it.Next(); {
		w := y.MapIndex(it.Key())
		if !w.IsValid() || !same(it.Value(), w) {
			return false
		}
	}
	return true
}
