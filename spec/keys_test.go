package spec

import (
	"reflect"
	"slices"
	"strings"
	"testing"
)

// TestFieldsHaveKeyAndClass fails when somebody adds a field without saying how its change is applied.
func TestFieldsHaveKeyAndClass(t *testing.T) {
	classes := []string{"none", "live", "scale", "restart", "next_start"}
	var check func(typ reflect.Type, s *section, prefix string, found map[string]bool)
	check = func(typ reflect.Type, s *section, prefix string, found map[string]bool) {
		for i := range typ.NumField() {
			f := typ.Field(i)
			name, class := f.Tag.Get("key"), f.Tag.Get("class")
			where := typ.Name() + "." + f.Name
			if name == "" {
				if class != "-" && !slices.Contains(classes, class) {
					t.Errorf("%s has neither a key nor a class", where)
				}
				continue
			}
			path := prefix + name
			found[path] = true
			k := lookupKey(s, path)
			if k == nil {
				t.Errorf("%s: the key %s is not in the table", where, path)
				continue
			}
			if f.Type.Kind() == reflect.Struct {
				if k.kind != kindGroup {
					t.Errorf("%s: %s is no group in the table", where, path)
				}
				check(f.Type, s, path+".", found)
				continue
			}
			if !slices.Contains(classes, class) {
				t.Errorf("%s has the class %q", where, class)
			}
		}
	}
	for typ, s := range map[reflect.Type]*section{reflect.TypeFor[Host](): hostSection(), reflect.TypeFor[Service](): serviceSection()} {
		found := map[string]bool{}
		check(typ, s, "", found)
		for _, k := range s.all {
			if k.kind == kindLater || strings.Contains(k.path, "*") || k.path == "args" {
				continue
			}
			if !found[k.path] {
				t.Errorf("the key %s of the table has no field in %s", k.path, typ.Name())
			}
		}
	}
}

func lookupKey(s *section, path string) *keyNode {
	for _, k := range s.all {
		if k.path == path {
			return k
		}
	}
	return nil
}

// TestKeysAreDocumented makes sure that the reference and the schema say something about every key.
func TestKeysAreDocumented(t *testing.T) {
	for _, s := range []*section{hostSection(), serviceSection(), probeSection(), notifySection(), thresholdSection()} {
		for _, k := range s.all {
			if k.kind == kindLater {
				continue
			}
			if k.doc == "" || !strings.HasSuffix(k.doc, ".") {
				t.Errorf("%s: the doc %q is no sentence", k.path, k.doc)
			}
			if k.kind == kindGroup {
				continue
			}
			if k.def == "" {
				t.Errorf("%s has no default in the table", k.path)
			}
			if k.class == "" {
				t.Errorf("%s has no class", k.path)
			}
			if k.kind == kindEnum && len(k.enum) == 0 {
				t.Errorf("%s has no values", k.path)
			}
		}
	}
}

// TestDefaultsInTableAreTheRealOnes decodes each default of the table over a zero value.
func TestDefaultsInTableAreTheRealOnes(t *testing.T) {
	l := newLoader(Options{Platform: "linux", LookupEnv: noEnv})
	check := func(s *section, v reflect.Value) {
		for _, k := range s.all {
			switch k.kind {
			case kindDuration, kindSize, kindInt, kindFactor, kindPercent, kindRate, kindBool, kindEnum:
			default:
				continue
			}
			if strings.Contains(k.path, "*") || strings.Contains(k.def, ";") {
				continue
			}
			field, structure := reflect.Value{}, v
			parent := s.root
			for part := range strings.SplitSeq(k.path, ".") {
				parent = parent.children[part]
				field = structure.Field(parent.field)
				structure = field
			}
			if k.def == "none" || strings.HasPrefix(k.def, "that of ") {
				if !field.IsZero() {
					t.Errorf("%s: the table says %s, the code %v", k.path, k.def, field.Interface())
				}
				continue
			}
			got := reflect.New(field.Type()).Elem()
			d := &decoder{l: l}
			if err := d.scalar(&node{}, k.def, k, got); err != nil {
				t.Errorf("%s: %v", k.path, err)
			} else if got.Interface() != field.Interface() {
				t.Errorf("%s: the table says %s, the code %v", k.path, k.def, field.Interface())
			}
		}
	}
	host, service := defaultHost, defaultService(false)
	check(hostSection(), reflect.ValueOf(host))
	check(serviceSection(), reflect.ValueOf(service))
}

// TestElsewhereNamesAreRealKeys keeps the answers to names of other tools from pointing nowhere.
func TestElsewhereNamesAreRealKeys(t *testing.T) {
	known := func(s *section, path string) bool {
		top, rest, deep := strings.Cut(path, ".")
		k := s.root.children[top]
		if k == nil {
			return false
		}
		return !deep || k.kind == kindLater || lookupKey(s, top+"."+rest) != nil
	}
	for theirs, ours := range elsewhere() {
		if !known(serviceSection(), ours) {
			t.Errorf("%s is answered with %s, which is no key", theirs, ours)
		}
		if theirs != foldKey(theirs) {
			t.Errorf("%s can never be found: it is not folded", theirs)
		}
	}
	for theirs, ours := range elsewhereHost() {
		if !known(hostSection(), ours) {
			t.Errorf("%s is answered with %s, which is no key of host", theirs, ours)
		}
	}
	for s, others := range map[*section]map[string]string{probeSection(): elsewhereProbe(), notifySection(): elsewhereNotify(), thresholdSection(): elsewhereThreshold()} {
		for theirs, ours := range others {
			if lookupKey(s, ours) == nil {
				t.Errorf("%s is answered with %s, which is no key", theirs, ours)
			}
			if theirs != foldKey(theirs) {
				t.Errorf("%s can never be found: it is not folded", theirs)
			}
		}
	}
	for theirs, ours := range elsewhereRoot() {
		path, inHost := strings.CutPrefix(ours, "host.")
		if inHost && !known(hostSection(), path) || !inHost && !slices.Contains(knownRoot, ours) {
			t.Errorf("%s is answered with %s, which is no key", theirs, ours)
		}
	}
}
