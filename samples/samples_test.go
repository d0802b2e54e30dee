// Package samples holds examples of services.yaml, and the tests that keep them and the READMEs true.
package samples

import (
	"encoding/json"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"gopkg.in/yaml.v3"

	"servicehost/spec"
)

type sample struct {
	files     []string
	profiles  []string
	platforms []string
}

var everywhere = []string{"linux", "darwin", "windows"}

var samples = []sample{
	{files: []string{"minimal/services.yaml"}, platforms: everywhere},
	{files: []string{"quickstart/services.yaml"}, platforms: everywhere},
	{files: []string{"nginx-redis/services.yaml"}, platforms: []string{"linux", "darwin"}},
	{files: []string{"rollout/services.yaml"}, platforms: []string{"linux", "darwin"}},
	{files: []string{"windows-zh/services.yaml"}, platforms: []string{"windows"}},
	{files: []string{"logging/services.yaml"}, platforms: everywhere},
	{files: []string{"monitoring/services.yaml"}, platforms: everywhere},
	{files: []string{"full/services.yaml"}, platforms: everywhere},
	{files: []string{"full/services.yaml"}, profiles: []string{"prod"}, platforms: everywhere},
	{files: []string{"full/services.yaml", "full/unix.yaml"}, platforms: []string{"linux", "darwin"}},
	{files: []string{"full/services.yaml", "full/windows.yaml"}, platforms: []string{"windows"}},
}

// load loads files as if nothing were set in the environment.
func load(files, profiles []string, platform string) spec.Result {
	return spec.Load(spec.Options{
		Files:     files,
		Profiles:  profiles,
		Platform:  platform,
		LookupEnv: func(string) (string, bool) { return "", false },
		Exe:       "host",
	})
}

func TestSamplesAreValid(t *testing.T) {
	for _, s := range samples {
		for _, platform := range s.platforms {
			r := load(s.files, s.profiles, platform)
			if len(r.Problems) > 0 {
				t.Errorf("%v for %s:\n%v", s.files, platform, r.Problems)
				continue
			}
			if len(r.Warnings) > 0 {
				t.Errorf("%v for %s warns:\n%v", s.files, platform, r.Warnings)
			}
			if len(r.Spec.Services) == 0 {
				t.Errorf("%v for %s has no services", s.files, platform)
			}
		}
	}
}

func TestEverySampleIsTested(t *testing.T) {
	var missing []string
	for _, pattern := range []string{"*/*.yaml"} {
		files, err := filepath.Glob(pattern)
		if err != nil || len(files) == 0 {
			t.Fatal("no samples found", err)
		}
		for _, f := range files {
			tested := func(s sample) bool { return slices.Contains(s.files, filepath.ToSlash(f)) }
			if !slices.ContainsFunc(samples, tested) {
				missing = append(missing, f)
			}
		}
	}
	if len(missing) > 0 {
		t.Errorf("add to the table of samples: %v", missing)
	}
}

func TestWindowsSampleKeepsItsNames(t *testing.T) {
	r := load([]string{"windows-zh/services.yaml"}, nil, "windows")
	if r.Spec == nil {
		t.Fatal(r.Problems)
	}
	ids := map[string]*spec.Service{}
	for _, s := range r.Spec.Services {
		ids[s.ID] = s
	}
	orders, reports := ids["orders.2"], ids["reports"]
	if orders == nil || reports == nil {
		t.Fatalf("services are missing among %d", len(r.Spec.Services))
	}
	if got, want := orders.Command[0], `D:\应用\订单 服务\订单.exe`; got != want {
		t.Errorf("program of orders.2: got %q, want %q", got, want)
	}
	if got, want := orders.Log.Path, `D:\应用\数据\日志\订单-2.log`; got != want {
		t.Errorf("log of orders.2: got %q, want %q", got, want)
	}
	if got := reports.Env["区域"]; got == nil || *got != "华东" {
		t.Errorf("reports lacks the variable 区域 of the env_file")
	}
	if reports.Description != "每日报表，启动器会留下自己的子进程" {
		t.Errorf("description of reports: %q", reports.Description)
	}
}

// TestFullSampleHasEveryKey compares the full sample with the schema, which knows all keys.
func TestFullSampleHasEveryKey(t *testing.T) {
	var schema any
	if err := json.Unmarshal(spec.Schema(), &schema); err != nil {
		t.Fatal(err)
	}
	definitions, _ := schema.(map[string]any)["definitions"].(map[string]any)
	want := map[string]bool{}
	collect(schema, definitions, "", want)
	if len(want) < 60 {
		t.Fatalf("the schema names only %d keys", len(want))
	}
	have := map[string]bool{}
	for _, f := range []string{"full/services.yaml", "full/unix.yaml", "full/windows.yaml"} {
		text, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		var root map[string]any
		if err := yaml.Unmarshal(text, &root); err != nil {
			t.Fatal(err)
		}
		services, _ := root["services"].(map[string]any)
		delete(root, "services")
		present(root, "", have)
		have["services"] = true
		for _, s := range services {
			present(s, "services.*", have)
		}
	}
	for _, role := range []string{"readiness.", "liveness."} { // what a probe may say is shown once, by any of the three
		for key := range maps.Clone(have) {
			if at, rest, ok := strings.Cut(key, ".health."+role); ok {
				have[at+".health.startup."+rest] = true
			}
		}
	}
	for key := range want {
		for _, role := range []string{"readiness.", "liveness."} {
			key = strings.Replace(key, ".health."+role, ".health.startup.", 1)
		}
		// Where a secret may lie is shown once, with the password of a service.
		if at, place, ok := cutLast(key); ok && (strings.HasSuffix(at, ".token") || strings.HasSuffix(at, ".password") ||
			strings.HasSuffix(at, ".secret") || strings.HasSuffix(at, ".webhook")) {
			key = "services.*.password." + place
		}
		if at, _, ok := cutLast(key); ok && (strings.Contains(at, ".hooks.") || strings.HasSuffix(at, ".on_change") || strings.HasSuffix(at, ".thresholds.action")) {
			continue // an action, which the steps of a stop show
		}
		if !have[key] && !strings.HasPrefix(key, "defaults.") {
			t.Errorf("samples/full lacks the key %s", key)
		}
	}
}

func cutLast(key string) (before, after string, found bool) {
	i := strings.LastIndexByte(key, '.')
	if i < 0 {
		return "", key, false
	}
	return key[:i], key[i+1:], true
}

// collect gathers the keys of a schema, a * standing for names that are free. Free maps of values end there.
func collect(schema any, definitions map[string]any, at string, into map[string]bool) {
	s, ok := schema.(map[string]any)
	if !ok {
		return
	}
	if ref, ok := s["$ref"].(string); ok {
		collect(definitions[strings.TrimPrefix(ref, "#/definitions/")], definitions, at, into)
		return
	}
	if text, _ := s["description"].(string); strings.HasPrefix(text, "Not supported yet") {
		delete(into, at)
		return
	}
	properties, _ := s["properties"].(map[string]any)
	for name, child := range properties {
		key := strings.TrimPrefix(at+"."+name, ".")
		into[key] = true
		collect(child, definitions, key, into)
	}
	if free, ok := s["additionalProperties"].(map[string]any); ok {
		collect(free, definitions, at+".*", into)
	}
	for _, word := range []string{"anyOf", "oneOf", "allOf"} {
		list, _ := s[word].([]any)
		for _, child := range list {
			collect(child, definitions, at, into)
		}
	}
}

// present gathers the keys of a value, also with each name replaced by a *.
func present(value any, at string, into map[string]bool) {
	if list, ok := value.([]any); ok {
		for _, child := range list {
			present(child, at, into)
		}
	}
	m, ok := value.(map[string]any)
	if !ok {
		return
	}
	for name, child := range m {
		for _, n := range []string{name, "*"} {
			key := strings.TrimPrefix(at+"."+n, ".")
			into[key] = true
			present(child, key, into)
		}
	}
}
