package spec

import (
	"errors"
	"fmt"
	"math"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// layer says where a value of a service comes from.
type layer uint8

const (
	layerBuiltin layer = iota
	layerDefaults
	layerService
)

// decoder fills a struct from a tree by the table of keys. It reports everything that is wrong and goes on.
type decoder struct {
	l       *loader
	scope   *scope
	section *section
	others  func() map[string]string // names of other tools
	path    []string                 // to the value at hand
	draft   *draft                   // of a service; nil for the host
	layer   layer
	// foreign is set for services that are only looked at, as they are out of profile: that this
	// machine lacks a variable or a file is no problem of theirs.
	foreign bool
}

func (d *decoder) push(name string) { d.path = append(d.path, name) }
func (d *decoder) pop()             { d.path = d.path[:len(d.path)-1] }

// problem reports what is wrong with a value.
func (d *decoder) problem(n *node, format string, args ...any) {
	d.fail(n, words("", format, args...))
}

// fail reports an error about a value, with its hint.
func (d *decoder) fail(n *node, err error) {
	if _, unset := errors.AsType[*unsetError](err); unset && d.foreign {
		return
	}
	if _, elsewhere := errors.AsType[*varsError](err); elsewhere {
		return // checkVars tells, at the variable
	}
	message, hint := errorWords(err)
	d.l.problemAt(n, strings.Join(d.path, "."), message, hint)
}

// group decodes a mapping into a struct. base holds the values that null goes back to.
func (d *decoder) group(n *node, k *keyNode, v, base reflect.Value) {
	if n.kind != mapNode {
		d.problem(n, "must be a mapping, found %s", n.describe())
		return
	}
	for _, p := range n.pairs {
		name := p.key.value
		if strings.HasPrefix(name, "x-") {
			if name == "x-config" && d.draft != nil && k.path == "" {
				d.draft.svc.Config = contentHash(p.val)
			}
			continue
		}
		child := k.children[name]
		d.push(name)
		if child == nil {
			d.unknown(p.key, k)
		} else if child.kind == kindLater {
			d.later(p.key, p.val, child)
		} else if child.field >= 0 {
			d.value(p.val, child, v.Field(child.field), base.Field(child.field))
		} else {
			d.value(p.val, child, reflect.Value{}, reflect.Value{})
		}
		d.pop()
	}
}

func (d *decoder) unknown(key *node, k *keyNode) {
	hint := ""
	if d.l.mayHint(len(k.order)) {
		known := make([]string, len(k.order))
		for i, c := range k.order {
			known[i] = c.name
		}
		hint = keyHint(key.value, known, d.others(), d.section.byName)
		if hint == "" && k.path == "" && (d.draft != nil || d.section == hostSection()) && slices.Contains(knownRoot, key.value) {
			hint = "it belongs at the top level of the file, beside services"
		}
	}
	d.l.problemAt(key, strings.Join(d.path, "."), "unknown key", hint)
	if d.draft != nil && (hint == `did you mean "command"?` || hint == "it is called command here") {
		d.draft.misnamed = true
	}
}

// value decodes one key. field is invalid where the key has none of its own.
func (d *decoder) value(n *node, k *keyNode, field, base reflect.Value) {
	if d.draft != nil {
		d.draft.note(k, n, d.layer)
	}
	if n.kind == nullNode && k.kind != kindEnv {
		if field.IsValid() {
			field.Set(base)
		}
		if d.draft != nil {
			d.draft.reset(k)
		}
		return
	}
	switch k.kind {
	case kindGroup:
		if n.kind == scalarNode && k.short != "" {
			child := k.children[k.short]
			d.value(n, child, field.Field(child.field), base.Field(child.field))
			return
		}
		if field.Kind() == reflect.Pointer {
			d.optional(n, k, field)
			return
		}
		d.group(n, k, field, base)
	case kindTexts:
		field.Set(reflect.ValueOf(d.texts(n)))
	case kindCommand, kindEnv, kindPaths, kindPort, kindDepends, kindCodes, kindSteps, kindAffinity:
		d.special(n, k)
	case kindSecret:
		if secret, ok := d.secret(n); ok {
			field.Set(reflect.ValueOf(secret))
		}
	case kindProbe:
		if p, ok := d.probe(n, k.name); ok {
			field.Set(reflect.ValueOf(p))
		}
	case kindActions:
		field.Set(reflect.ValueOf(d.actions(n)))
	case kindOnChange:
		if v, ok := d.onChange(n); ok {
			field.Set(reflect.ValueOf(v))
		}
	case kindArgv:
		field.Set(reflect.ValueOf(d.argv(n)))
	case kindStatus:
		field.Set(reflect.ValueOf(d.status(n)))
	case kindPairs:
		field.Set(reflect.ValueOf(d.pairs(n)))
	case kindRequired:
		field.Set(reflect.ValueOf(d.required(n, k.name)))
	case kindNamed:
		d.named(n, k, field)
	case kindList:
		d.list(n, k, field)
	case kindEnums:
		d.enums(n, k, field)
	case kindMail:
		field.Set(reflect.ValueOf(d.addresses(n)))
	case kindWebhook:
		if hook, ok := d.webhook(n); ok {
			field.Set(reflect.ValueOf(hook))
		}
	case kindThresholds:
		field.Set(reflect.ValueOf(d.thresholds(n)))
	case kindThresholdAction:
		if a, ok := d.thresholdAction(n); ok {
			field.Set(reflect.ValueOf(a))
		}
	default:
		if s, ok := d.text(n); ok {
			if err := d.scalar(n, s, k, field); err != nil {
				d.fail(n, err)
			}
		}
	}
}

// scalar decodes a text, its variables replaced, by the kind of the key.
func (d *decoder) scalar(n *node, s string, k *keyNode, field reflect.Value) error {
	switch k.kind {
	case kindText:
		field.SetString(s)
	case kindListen:
		if err := checkListen(s); err != nil {
			return err
		}
		field.SetString(s)
	case kindGrowth:
		v, err := parseGrowth(s)
		if err != nil {
			return err
		}
		field.SetInt(v)
	case kindPath:
		p, err := d.pathValue(n, s)
		if err != nil {
			return err
		}
		field.SetString(p)
	case kindBool:
		b, err := parseBool(s)
		if err != nil {
			return err
		}
		field.SetBool(b)
	case kindInt:
		i, err := parseInt(s)
		if err != nil {
			return err
		}
		if float64(i) < k.min || float64(i) > k.max {
			return words("", "must be %s to %s, found %s", plain(k.min), plain(k.max), quote(s))
		}
		field.SetInt(i)
	case kindFactor:
		f, err := strconv.ParseFloat(s, 64)
		if err != nil || math.IsNaN(f) || f < k.min || f > k.max {
			return words("", "must be a number from %s to %s, found %s", plain(k.min), plain(k.max), quote(s))
		}
		field.SetFloat(f)
	case kindDuration:
		v, err := ParseDuration(s)
		if err != nil {
			return err
		}
		field.SetInt(int64(v))
	case kindSize:
		v, err := ParseSize(s)
		if err != nil {
			return err
		}
		field.SetInt(v)
	case kindPercent:
		v, err := parsePercent(s)
		if err != nil {
			return err
		}
		field.SetInt(int64(v))
	case kindRate:
		v, err := parseRate(s)
		if err != nil {
			return err
		}
		field.SetFloat(v)
	case kindBurst:
		if strings.EqualFold(s, "auto") {
			field.SetInt(0)
			return nil
		}
		v, err := parseInt(s)
		if err != nil || v < 1 || v > 1_000_000 {
			return words("", "must be auto or a whole number from 1, found %s", quote(s))
		}
		field.SetInt(v)
	case kindEnum:
		v, err := d.enum(s, k)
		if err != nil {
			return err
		}
		if zeroEnums[k.path] == v {
			v = ""
		}
		field.SetString(v)
	case kindPattern:
		if _, err := regexp.Compile(s); err != nil {
			return words("it is a regular expression as in Go and RE2; single quotes keep its backslashes", "%s", strings.TrimPrefix(err.Error(), "error parsing regexp: "))
		}
		field.SetString(s)
	case kindLimit:
		if strings.EqualFold(s, "auto") {
			field.SetInt(AutoSize)
			return nil
		}
		v, err := ParseSize(s)
		if err != nil {
			return err
		}
		field.SetInt(v)
	case kindLines:
		v, err := parseLines(s)
		if err != nil {
			return err
		}
		field.SetFloat(v)
	case kindAuto:
		if s = strings.ToLower(strings.TrimSpace(s)); s == "auto" {
			s = ""
		}
		field.SetString(s)
	case kindSwitch:
		if strings.EqualFold(s, "auto") {
			field.SetString("")
			return nil
		}
		v, err := parseBool(s)
		if err != nil {
			return words("", "must be auto, true or false, found %s", quote(s))
		}
		field.SetString(strconv.FormatBool(v))
	case kindPriority:
		v, err := parsePriority(s)
		if err != nil {
			return err
		}
		field.SetInt(int64(v))
	case kindCores:
		v, err := parseCores(s)
		if err != nil {
			return err
		}
		field.SetInt(int64(v))
	default:
		return fmt.Errorf("cannot be decoded")
	}
	return nil
}

func plain(f float64) string { return strconv.FormatFloat(f, 'f', -1, 64) }

// zeroEnums are the values of enumerations that are empty in the spec: the default of a zero struct.
var zeroEnums = map[string]string{
	"session": "service", "log.rotate": "none", "log.rotate_zone": "local", "log.format": "raw", "log.ansi": "keep",
}

func (d *decoder) enum(s string, k *keyNode) (string, error) {
	if k.path == "restart.policy" && strings.EqualFold(s, "false") {
		return "no", nil // what YAML makes of a bare no, in other tools
	}
	v, err := parseEnum(s, k.enum)
	if err == nil {
		return v, nil
	}
	if ours := elsewhereValue()[k.name][foldKey(s)]; ours != "" {
		hint := fmt.Sprintf("it is called %s here", ours)
		if _, e := parseEnum(ours, k.enum); e != nil {
			hint += ", which is not supported yet"
		}
		return "", words(hint, "%s is not one of %s", quote(s), strings.Join(k.enum, ", "))
	}
	return "", err
}

// later refuses a key of the full design unless its value asks for nothing.
func (d *decoder) later(key, n *node, k *keyNode) {
	switch n.kind {
	case nullNode:
		return
	case scalarNode:
		for _, off := range k.off {
			if strings.EqualFold(n.value, off) {
				return
			}
		}
	}
	hint := ""
	if len(k.off) > 0 {
		hint = "this version takes only " + k.off[0]
	}
	d.l.problemAt(key, strings.Join(d.path, "."), "not supported yet", hint)
}
