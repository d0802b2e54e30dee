package spec

import (
	"os"
	"path/filepath"
	"reflect"
	"testing"
	"time"
)

// TestHashSeesEveryField changes each field of a service and of the host in turn, so that no edit can be
// a silent no-op. What class none and scale hold changes the hash of the spec only.
func TestHashSeesEveryField(t *testing.T) {
	s := mustLoad(t, "services: {a: {command: x, depends_on: [b], env: {A: '1'}, stop: {steps: [{exec: [x]}]}}, b: {command: b}}")
	c := &canonical{}
	service := s.Services[0]
	serviceWas, specWas := service.Hash, s.Hash
	var visit func(v reflect.Value, path, class string)
	visit = func(v reflect.Value, path, class string) {
		if v.Kind() == reflect.Struct {
			for i := range v.NumField() {
				f := v.Type().Field(i)
				own := f.Tag.Get("class")
				if own == "" {
					own = class
				}
				visit(v.Field(i), path+"."+f.Name, own)
			}
			return
		}
		if class == "-" {
			return
		}
		was := reflect.New(v.Type()).Elem()
		was.Set(v)
		change(t, v, path)
		service.setHash(c)
		specIs := hashOf(s)
		inService := path[:8] == ".Service"
		wantService := inService && class != "none" && class != "scale"
		if (service.Hash != serviceWas) != wantService {
			t.Errorf("%s of class %s: the hash of the service changes: %v", path, class, service.Hash != serviceWas)
		}
		if specIs == specWas {
			t.Errorf("%s of class %s does not change the hash of the spec", path, class)
		}
		v.Set(was)
	}
	visit(reflect.ValueOf(service).Elem(), ".Service", "")
	visit(reflect.ValueOf(&s.Host).Elem(), ".Host....", "")
	action := service.Stop.Steps[0].Action
	visit(reflect.ValueOf(action).Elem(), ".Service.Action", "live")
	service.Password = &Secret{Env: "x"}
	service.setHash(c)
	serviceWas, specWas = service.Hash, hashOf(s)
	visit(reflect.ValueOf(service.Password).Elem(), ".Service.Password", "restart")
}

// change sets a value to another one.
func change(t *testing.T, v reflect.Value, path string) {
	t.Helper()
	switch v.Kind() {
	case reflect.String:
		v.SetString(v.String() + "x")
	case reflect.Bool:
		v.SetBool(!v.Bool())
	case reflect.Int, reflect.Int64:
		v.SetInt(v.Int() + 1)
	case reflect.Float64:
		v.SetFloat(v.Float() + 1)
	case reflect.Slice:
		v.Set(reflect.Append(v, reflect.Zero(v.Type().Elem())))
	case reflect.Map:
		m := reflect.MakeMap(v.Type())
		m.SetMapIndex(reflect.ValueOf("new"), reflect.Zero(v.Type().Elem()))
		v.Set(m)
	case reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
	default:
		t.Fatalf("%s: a %s can't be changed", path, v.Kind())
	}
}

// TestHashIsOfTheValueNotTheSpelling: what means the same must not restart anything.
func TestHashIsOfTheValueNotTheSpelling(t *testing.T) {
	pairs := [][2]string{
		{"{command: x y}", "{command: [x, y]}"},
		{"{command: x y}", "{command: x, args: [y]}"},
		{"{command: x, restart: on-failure}", "{command: x, restart: {policy: on_failure}}"},
		{"{command: x, restart: {delay: 60s}}", "{command: x, restart: {delay: 1m, factor: 2.0}}"},
		{"{command: x, log: {max_size: 1MiB}}", "{command: x, log: {max_size: 1024KiB}}"},
		{"{command: x, depends_on: [b]}", "{command: x, depends_on: {b: {condition: started}}}"},
		{"{command: x, env: {A: 1, B: 2}}", "{command: x, env: {B: '2', A: '1'}}"},
		{"{command: x, success_exit_codes: [3, 0]}", "{command: x, success_exit_codes: [0, 3, 3]}"},
		{"{command: x, description: a}", "{command: x, description: b, profiles: []}"},
		{"{command: x, stop: {steps: [TERM]}}", "{command: x}"},
	}
	for _, p := range pairs {
		if hashIn(t, p[0]) != hashIn(t, p[1]) {
			t.Errorf("%s and %s have different hashes", p[0], p[1])
		}
	}
	if hashIn(t, "{command: x, env: {A: null}}") == hashIn(t, "{command: x, env: {A: ''}}") {
		t.Error("removing a variable and emptying it have one hash")
	}
}

// hashIn loads a service from one and the same folder.
func hashIn(t *testing.T, text string) string {
	t.Helper()
	path := filepath.Join(sharedFolder(t), "services.yaml")
	if err := os.WriteFile(path, []byte("services: {a: "+text+", b: {command: b}}"), 0o644); err != nil {
		t.Fatal(err)
	}
	r := Load(Options{Files: []string{path}, Platform: "linux", LookupEnv: noEnv})
	if r.Spec == nil {
		t.Fatalf("%s: %v", text, r.Problems)
	}
	return r.Spec.Services[0].Hash
}

var folders = map[string]string{}

// sharedFolder is one folder for the whole of a test.
func sharedFolder(t *testing.T) string {
	if folders[t.Name()] == "" {
		folders[t.Name()] = t.TempDir()
		t.Cleanup(func() { delete(folders, t.Name()) })
	}
	return folders[t.Name()]
}

// TestHashIgnoresFieldsThatSayNothing: a field that a later version adds must change no hash.
func TestHashIgnoresFieldsThatSayNothing(t *testing.T) {
	type before struct {
		A string
		D time.Duration
	}
	type after struct {
		A   string
		New []string
		D   time.Duration
		Old bool
	}
	sum := func(v any) string {
		c := &canonical{skip: func(string) bool { return false }}
		c.value(reflect.ValueOf(v))
		return c.sum()
	}
	if sum(before{"x", 1}) != sum(after{A: "x", D: 1}) {
		t.Error("the hash changed")
	}
}

// hashOf is the hash of a spec that was not just loaded.
func hashOf(s *Spec) string {
	return specHash(s, func(of []*Service) [16]byte { return digestOf(&canonical{}, of) })
}
