package e2e

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"slices"
	"strings"
	"testing"

	"servicehost/host/control"
)

// edits is how many edits TestRandomEdits makes: HOST_E2E_EDITS, for a soak.
func edits() int {
	var n int
	if _, err := fmt.Sscan(os.Getenv("HOST_E2E_EDITS"), &n); err == nil && n > 0 {
		return n
	}
	if testing.Short() || slow {
		return 40
	}
	return 200
}

// model is what should run: the version of each service, by its instances.
type model map[string]*modelService

type modelService struct {
	version, instances, delay int
	enabled                   bool
}

func (m model) yaml(r *rig) string {
	var list []string
	for _, name := range slices.Sorted(maps.Keys(m)) {
		v := m[name]
		list = append(list, svc(name, r.child("run", fmt.Sprintf("%s-v%d", name, v.version)),
			fmt.Sprintf("instances: %d", v.instances), fmt.Sprintf("enabled: %v", v.enabled),
			fmt.Sprintf("restart: {delay: %dms}", v.delay), "stop: {timeout: 5s}"))
	}
	text := "host: {reload: {quiet: 20ms, max_removed: 100%}}\n"
	if len(list) == 0 {
		return text + "services: {}\n"
	}
	return text + "services:\n" + strings.Join(list, "")
}

// wanted maps the instances that should run to their versions.
func (m model) wanted() map[string]string {
	w := map[string]string{}
	for name, v := range m {
		for i := range v.instances {
			if v.enabled {
				w[fmt.Sprintf("%s.%d", name, i+1)] = fmt.Sprintf("%s-v%d", name, v.version)
			}
		}
	}
	return w
}

// breakage are ways to spoil a file.
var breakage = []func(string) string{
	func(s string) string { return s + "\n  x: [\n" },
	func(s string) string { return strings.Replace(s, "services:", "servces:", 1) },
	func(s string) string { return s[:len(s)/2] + "\n\tbroken" },
	func(string) string { return "" },
	func(s string) string { return s + "  Bad Name: {command: x}\n" },
	func(s string) string { return strings.Replace(s, "ms, max", "parsecs, max", 1) },
}

// TestRandomEdits makes edits of all kinds, valid and broken, and compares what runs with a model: the
// version of each instance, and that the PID of what an edit does not touch stays.
func TestRandomEdits(t *testing.T) {
	r := newRig(t)
	seed := rand.Uint64()
	rnd := rand.New(rand.NewPCG(seed, 1))
	t.Logf("seed %d", seed)
	m := model{"a": {version: 1, instances: 1, enabled: true, delay: 100}}
	r.write(m.yaml(r))
	r.start()
	pids := map[string]int{}
	tags := map[string]string{}
	check := func(step int, what string) {
		t.Helper()
		want := m.wanted()
		var s control.Status
		r.poll(fmt.Sprintf("edit %d (%s) to hold, want %v", step, what, want), func() bool {
			s = r.status()
			if s.Host.Spec.State != control.SpecApplied {
				return false
			}
			n := 0
			started := r.everStarted()
			for _, v := range s.Services {
				tag, wanted := want[fmt.Sprintf("%s.%d", v.Name, v.Instance)]
				if wanted && started[v.PID] != tag {
					return false
				}
				if wanted && v.State != "running" || !wanted && v.State != "stopped" {
					return false
				}
				if wanted {
					n++
				}
			}
			return n == len(want)
		})
		now := map[string]int{}
		for _, v := range s.Services {
			id := fmt.Sprintf("%s.%d", v.Name, v.Instance)
			if want[id] == "" {
				continue
			}
			now[id] = v.PID
			if tags[id] == want[id] && pids[id] != v.PID {
				t.Fatalf("edit %d (%s): %s was disturbed: PID %d became %d", step, what, id, pids[id], v.PID)
			}
		}
		pids, tags = now, want
	}
	check(0, "start")
	base := leftovers(r)
	for step := 1; step <= edits(); step++ {
		what := m.change(rnd)
		if rnd.IntN(4) == 0 {
			bad := breakage[rnd.IntN(len(breakage))]
			r.write(bad(m.yaml(r)))
			s := r.until("the rejection", func(s control.Status) bool { return s.Host.Spec.State == control.SpecRejected })
			for _, v := range s.Services {
				id := fmt.Sprintf("%s.%d", v.Name, v.Instance)
				if pids[id] != 0 && v.PID != pids[id] {
					t.Fatalf("edit %d: a broken file disturbed %s", step, id)
				}
			}
			what = "after a broken file, " + what
		}
		r.write(m.yaml(r))
		if rnd.IntN(3) == 0 {
			r.must(0, "reload")
			what += ", by command"
		}
		check(step, what)
	}
	for name := range m {
		delete(m, name)
	}
	m["a"] = &modelService{version: 1000, instances: 1, enabled: true, delay: 100}
	r.write(m.yaml(r))
	check(-1, "the last one")
	var end leftover
	r.poll("everything to be given back", func() bool {
		end = leftovers(r)
		return end.grown(base) == ""
	})
	t.Logf("at the start %v, at the end %v", base, end)
}

// change makes one random change of the model and says which.
func (m model) change(rnd *rand.Rand) string {
	names := slices.Sorted(maps.Keys(m))
	pick := func() string { return names[rnd.IntN(len(names))] }
	switch n := rnd.IntN(7); {
	case n == 0 && len(names) < 8, len(names) == 0:
		for _, c := range "abcdefghij" {
			if m[string(c)] == nil {
				m[string(c)] = &modelService{version: 1, instances: 1 + rnd.IntN(2), enabled: true, delay: 100}
				return "add " + string(c)
			}
		}
	case n == 1 && len(names) > 1:
		name := pick()
		delete(m, name)
		return "remove " + name
	case n == 2:
		v := m[pick()]
		v.instances = 1 + rnd.IntN(3)
		return "scale"
	case n == 3:
		v := m[pick()]
		v.enabled = !v.enabled
		return "enable or disable"
	case n == 4:
		m[pick()].delay += 10
		return "live change"
	case n == 5:
		return "nothing"
	}
	m[pick()].version++
	return "new version"
}
