package e2e

import (
	"encoding/json"
	"maps"
	"strings"
	"testing"

	"servicehost/host/control"
	"servicehost/host/journal"
)

// besideService is two instances of the program that is deployed, each on a port of its own.
func besideService(command, timeout string) string {
	return svc("api", command, "instances: 2", "port: auto", "watch: {shadow_copy: true, quiet: 300ms}",
		"health: {readiness: {http: 'http://127.0.0.1:${PORT}/', period: 200ms, timeout: 10s}}",
		"update: {order: start_first, timeout: "+timeout+", monitor: 300ms}")
}

// bothRun waits until the version is what runs in both instances, nothing else is left of them, and returns the PIDs.
func (r *rig) bothRun(version, state string) map[string]int {
	r.t.Helper()
	r.until("both instances to run "+version, func(s control.Status) bool {
		started := r.everStarted()
		for _, v := range s.Services {
			if v.State != "running" || v.Health != "healthy" || v.Rollout != nil || v.Spec.State != state || started[v.PID] != version {
				return false
			}
		}
		return len(s.Services) == 2 && len(r.alive()) == 2
	})
	return r.pidsOf()
}

// TestDeployBesideARunningProgram: by start_first a new binary is started beside the one that runs, and takes over when
// it is ready. One that is no good never touches what runs.
func TestDeployBesideARunningProgram(t *testing.T) {
	r := newRig(t)
	exe, command := r.app(t)
	r.deploy(exe, "one")
	r.write(yaml(besideService(command, "30s")))
	r.start()
	one := r.bothRun("one", "applied")
	r.deploy(exe, "two")
	two := r.bothRun("two", "applied")
	for id, pid := range two {
		if pid == one[id] {
			t.Errorf("%s still runs as process %d", id, pid)
		}
	}

	refused := func(bad string, before map[string]int) {
		t.Helper()
		was := r.status().Services
		r.deploy(exe, bad)
		r.until(bad+" to be rolled back", func(s control.Status) bool {
			for n, v := range s.Services {
				if v.Spec.State != "rolled_back" || v.Spec.Rejected == was[n].Spec.Rejected {
					return false
				}
			}
			return strings.Contains(s.Host.Spec.Reason, "api.exe changed (sha256 ")
		})
		if now := r.pidsOf(); !maps.Equal(now, before) {
			t.Errorf("%s replaced processes: %v, then %v", bad, before, now)
		}
	}
	refused("exits", two)
	refused("garbage", two)
	r.bothRun("two", "rolled_back")

	// What is deployed is no good; a restart takes the copy that works.
	r.must(0, "restart", "--rolling", "api")
	again := r.bothRun("two", "rolled_back")
	for id, pid := range again {
		if pid == two[id] {
			t.Errorf("%s was not restarted: process %d", id, pid)
		}
	}
	for _, s := range r.status().Services {
		if s.Restarts != 0 {
			t.Errorf("%s was restarted %d times by the host", s.ID, s.Restarts)
		}
	}
	if out := r.must(0, "events", "-o", "json", "-n", "10000", "api"); strings.Contains(out, `"to":"stopping"`) || !strings.Contains(out, `"kind":"rollout"`) {
		t.Errorf("an instance was taken down:\n%s", r.must(0, "events", "-n", "10000", "api"))
	}

	for _, e := range events(t, r.must(0, "events", "-o", "json", "-n", "10000", "api")) {
		if e.Kind == journal.RolledBack && e.ID == "api.2" && !strings.HasPrefix(e.Reason, `as "api.1" went back from it`) {
			t.Errorf("api.2 tried what api.1 had gone back from: %s", e.Reason)
		}
	}

	r.kill()
	r.start()
	r.bothRun("two", "rolled_back")
	r.deploy(exe, "three")
	three := r.bothRun("three", "applied")
	r.write(yaml(besideService(command, "2s")))
	r.must(0, "reload")
	refused("mute", three)
	r.bothRun("three", "rolled_back")
	r.stop()
}

// TestPlanNamesOrderAndPace: before an edit is applied, plan tells how it would reach what runs.
func TestPlanNamesOrderAndPace(t *testing.T) {
	r := newRig(t)
	const manual = "host: {reload: {mode: manual}}\n"
	web := func(more string) string {
		return svc("web", r.child("run", "web"), "instances: 3", "update: {order: start_first, parallelism: 2}", more)
	}
	r.write(manual + yaml(web(""), svc("db", r.child("run", "db"), "on_change: {signal: HUP}", "x-config: 1")))
	r.start()
	before := r.allRunning()
	r.write(manual + yaml(web("env: {A: b}"), svc("db", r.child("run", "db"), "on_change: {signal: HUP}", "x-config: 2")))
	r.until("the edit to be held", func(s control.Status) bool { return s.Host.Spec.State == control.SpecPending })
	out := r.must(2, "plan")
	for _, want := range []string{"~ web.1  restart: start_first, 2 at a time", "~ web.3  restart: start_first, 2 at a time", "~ db     update: told by on_change"} {
		if !strings.Contains(out, want) {
			t.Errorf("plan does not say %q:\n%s", want, out)
		}
	}
	var p control.Plan
	o, _, _ := r.cli("plan", "--json")
	if err := json.Unmarshal([]byte(o), &p); err != nil {
		t.Fatal(err)
	}
	for _, c := range p.Changes {
		if c.Name == "web" && (c.Order != "start_first" || c.Parallelism != 2) || c.Name == "db" && (c.Order != "" || c.Action != "update") {
			t.Errorf("%+v", c)
		}
	}
	if now := r.pidsOf(); !maps.Equal(now, before) {
		t.Errorf("plan touched something: %v, then %v", before, now)
	}

	// While the rollout is under way, it tells how far it has come.
	db := svc("db", r.child("run", "db"))
	r.write(yaml(web(""), db))
	r.must(0, "reload", "--confirm")
	never := strings.Replace(web("env: {A: b}"), "parallelism: 2", "parallelism: 1, timeout: 10m", 1) + "    health: {readiness: {exec: [no-such-program]}}\n"
	r.write(yaml(never, db))
	r.poll("the first next process", func() bool {
		out = r.must(2, "plan")
		return strings.Contains(out, "~ web.1  restart: start_first, 1 at a time; under way: starting_next")
	})
	if !strings.Contains(out, "~ web.2  restart: start_first, 1 at a time; waits for web.1") {
		t.Errorf("plan says\n%s", out)
	}
	r.stop()
}
