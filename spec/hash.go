package spec

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"math"
	"reflect"
	"slices"
	"strings"
	"sync"
)

// canonical writes values in one form, whatever they were written like. Fields that are zero are left
// out, so that a field that a later version adds changes no hash.
type canonical struct {
	buf  []byte
	keys []string
	// skip drops fields by their class.
	skip func(class string) bool
}

// canonicalField is one field of a struct that is part of the canonical form.
type canonicalField struct {
	index int
	name  string
	class string
}

var canonicalFields sync.Map // reflect.Type → []canonicalField

func fieldsOf(t reflect.Type) []canonicalField {
	if f, ok := canonicalFields.Load(t); ok {
		return f.([]canonicalField)
	}
	fields := make([]canonicalField, t.NumField())
	for i := range fields {
		f := t.Field(i)
		fields[i] = canonicalField{i, f.Name, f.Tag.Get("class")}
	}
	slices.SortFunc(fields, func(a, b canonicalField) int { return strings.Compare(a.name, b.name) })
	canonicalFields.Store(t, fields)
	return fields
}

func (c *canonical) text(s string) {
	c.buf = binary.AppendUvarint(c.buf, uint64(len(s)))
	c.buf = append(c.buf, s...)
}

func (c *canonical) value(v reflect.Value) {
	switch v.Kind() {
	case reflect.String:
		c.text(v.String())
	case reflect.Bool:
		c.buf = append(c.buf, 't')
	case reflect.Int, reflect.Int64:
		c.buf = binary.AppendVarint(c.buf, v.Int())
	case reflect.Float64:
		c.buf = binary.BigEndian.AppendUint64(c.buf, math.Float64bits(v.Float()))
	case reflect.Slice:
		c.buf = binary.AppendUvarint(c.buf, uint64(v.Len()))
		for i := range v.Len() {
			c.value(v.Index(i))
		}
	case reflect.Pointer:
		if v.IsNil() {
			c.buf = append(c.buf, '-')
			return
		}
		c.buf = append(c.buf, '+')
		c.value(v.Elem())
	case reflect.Map:
		c.mapping(v)
	case reflect.Struct:
		for _, f := range fieldsOf(v.Type()) {
			field := v.Field(f.index)
			if f.class != "" && c.skip(f.class) || isEmpty(field) {
				continue
			}
			c.text(f.name)
			c.value(field)
		}
		c.buf = append(c.buf, 0)
	default:
		panic("spec: a field of kind " + v.Kind().String() + " has no canonical form")
	}
}

// isEmpty reports whether a field says nothing: an empty list is as good as none.
func isEmpty(v reflect.Value) bool {
	switch v.Kind() {
	case reflect.Slice, reflect.Map:
		return v.Len() == 0
	}
	return v.IsZero()
}

func (c *canonical) mapping(v reflect.Value) {
	from := len(c.keys)
	for it := v.MapRange(); it.Next(); {
		c.keys = append(c.keys, it.Key().String())
	}
	keys := c.keys[from:]
	slices.Sort(keys)
	c.buf = binary.AppendUvarint(c.buf, uint64(len(keys)))
	if m, ok := v.Interface().(map[string]*string); ok {
		for _, k := range keys {
			c.text(k)
			if s := m[k]; s == nil {
				c.buf = append(c.buf, '-')
			} else {
				c.buf = append(c.buf, '+')
				c.text(*s)
			}
		}
	} else {
		for _, k := range keys {
			c.text(k)
			c.value(v.MapIndex(reflect.ValueOf(k)))
		}
	}
	c.keys = c.keys[:from]
}

func (c *canonical) sum() string {
	sum := sha256.Sum256(c.buf)
	return hex.EncodeToString(sum[:16])
}

// setHash computes the hash of everything that a service runs by.
func (s *Service) setHash(c *canonical) {
	c.buf = c.buf[:0]
	c.skip = func(class string) bool { return class == "-" || class == "none" || class == "scale" }
	c.value(reflect.ValueOf(s).Elem())
	s.Hash = c.sum()
}

// specHash covers the host and all services with their texts, given by their digests; not the folder it lies in.
func specHash(s *Spec, digest func(instances []*Service) [16]byte) string {
	c := &canonical{skip: func(class string) bool { return class == "-" }}
	c.value(reflect.ValueOf(&s.Host).Elem())
	if len(s.Notify) > 0 {
		c.value(reflect.ValueOf(s.Notify))
	}
	for from := 0; from < len(s.Services); {
		to := from + 1
		for to < len(s.Services) && s.Services[to].Name == s.Services[from].Name {
			to++
		}
		sum := digest(s.Services[from:to])
		c.buf = append(c.buf, sum[:]...)
		from = to
	}
	return c.sum()
}

// digestOf covers the instances of one service, whose hashes are known.
func digestOf(c *canonical, instances []*Service) [16]byte {
	c.buf = c.buf[:0]
	c.skip = func(class string) bool { return class != "none" && class != "scale" } // the rest is in the hash
	for _, svc := range instances {
		c.text(svc.ID)
		c.text(svc.Hash)
		c.value(reflect.ValueOf(svc).Elem())
	}
	return sumOf(string(c.buf))
}
