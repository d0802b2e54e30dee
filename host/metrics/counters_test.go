package metrics

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"servicehost/host/journal"
)

var up = []string{"stopped>starting", "starting>running"}

func TestRestartsAreCountedByReason(t *testing.T) {
	for name, c := range map[string]struct {
		happens []string
		want    string // reasons in order
	}{
		"the first start":                 {nil, ""},
		"a crash":                         {[]string{"exit 3", "running>backoff", "backoff>starting", "starting>running"}, "exit"},
		"a crash with others in front":    {[]string{"exit 3", "running>backoff", "backoff>waiting", "waiting>starting"}, "exit"},
		"a tree that lingers":             {[]string{"running>stopping", "exit 3", "stopping>backoff", "backoff>starting"}, "exit"},
		"no program":                      {[]string{"exit 3", "running>backoff", "backoff>starting", "start_failed", "starting>backoff", "backoff>starting"}, "exit start_failed"},
		"liveness":                        {[]string{"running>stopping probe", "exit 143 SIGTERM", "stopping>backoff", "backoff>starting"}, "probe"},
		"memory":                          {[]string{"limit_hit", "running>stopping limit", "exit 0", "stopping>backoff", "backoff>starting"}, "limit"},
		"max_runtime":                     {[]string{"running>stopping max_runtime", "exit 0", "stopping>backoff", "backoff>starting"}, "max_runtime"},
		"an edit":                         {[]string{"spec_changed", "running>stopping change", "exit 0", "stopping>starting"}, "change"},
		"an operator":                     {[]string{"operator restart by root", "running>stopping asked", "exit 0", "stopping>starting"}, "operator"},
		"a threshold":                     {[]string{"threshold", "running>stopping threshold", "exit 0", "stopping>backoff", "backoff>starting"}, "threshold"},
		"a dependency":                    {[]string{"running>stopping asked", "exit 0", "stopping>waiting", "waiting>starting"}, "dependency"},
		"a rollback after a crash":        {[]string{"spec_changed", "running>stopping change", "exit 0", "stopping>starting", "exit 1", "rolled_back", "starting>backoff", "backoff>starting"}, "change rollback"},
		"a rollback of what is not ready": {[]string{"spec_changed", "running>stopping change", "exit 0", "stopping>starting", "rolled_back", "starting>stopping change", "exit 0", "stopping>starting"}, "change rollback"},
		"an edit that was refused beforehand, and a crash":      {[]string{"spec_changed", "rolled_back", "exit 3", "running>backoff", "backoff>starting"}, "exit"},
		"an edit that was refused beforehand, and a better one": {[]string{"spec_changed", "rolled_back", "spec_changed", "running>stopping change", "exit 0", "stopping>starting"}, "change"},
		"a crash loop":                          {[]string{"exit 3", "running>failed", "failed>starting"}, "retry"},
		"a failed one by hand":                  {[]string{"exit 3", "running>failed", "operator restart by root", "failed>starting"}, ""},
		"a stop and a start":                    {[]string{"operator stop by root", "running>stopping", "exit 0", "stopping>stopped", "operator start by root", "stopped>starting"}, ""},
		"runs of a job":                         {[]string{"exit 0", "running>waiting", "waiting>starting"}, ""},
		"a switch":                              {[]string{"spec_changed", "rollout", "rollout", "switch change", "exit 0"}, "change"},
		"a switch by hand":                      {[]string{"operator restart by root", "rollout", "switch asked", "exit 0"}, "operator"},
		"a restart that was asked for long ago": {[]string{"operator restart by root", "running>stopping asked", "exit 0", "stopping>starting", "starting>running", "running>stopping asked", "exit 0", "stopping>starting"}, "operator dependency"},
	} {
		t.Run(name, func(t *testing.T) {
			m := New(Options{Read: func(r *Reading, _ bool) { *r = Reading{Instances: []Instance{busy("api", 1)}} }})
			feed(m, "api", 1, up...)
			feed(m, "api", 1, c.happens...)
			var got []string
			for r, n := range m.instances[key{"api", 1}].restarts {
				for range n {
					got = append(got, reasonNames[r])
				}
			}
			want := strings.Fields(c.want)
			slices.Sort(want)
			slices.Sort(got)
			if !slices.Equal(got, want) {
				t.Errorf("restarts %v, want %v", got, want)
			}
		})
	}
}

func TestExitsAreBounded(t *testing.T) {
	m := New(Options{Read: func(r *Reading, _ bool) { *r = Reading{Instances: []Instance{busy("api", 1)}} }})
	feed(m, "api", 1, "exit 0", "exit 0", "exit 137 SIGKILL", "exit 3221225477")
	for n := range 100 {
		feed(m, "api", 1, fmt.Sprint("exit ", 10+n), "exit 0")
	}
	got := series(t, text(t, m), "servicehost_service_exits_total")
	want := map[string]string{
		`service="api",service_instance="1",code="0",signal=""`:          "102",
		`service="api",service_instance="1",code="137",signal="SIGKILL"`: "1",
		`service="api",service_instance="1",code="0xc0000005",signal=""`: "1",
		`service="api",service_instance="1",code="other",signal=""`:      "95",
	}
	for n := 10; n < 15; n++ {
		want[fmt.Sprintf(`service="api",service_instance="1",code="%d",signal=""`, n)] = "1"
	}
	if !maps.Equal(got, want) {
		t.Errorf("exits %v", got)
	}
}

func TestEventsAreCounted(t *testing.T) {
	m := New(Options{Read: func(r *Reading, _ bool) {
		job := busy("api", 1)
		job.Job = true
		*r = Reading{Instances: []Instance{job}}
	}})
	feed(m, "api", 1, "failed", "failed", "killed", "limit_hit", "rolled_back", "unhealthy", "skipped", "start_failed", "threshold", "stop_step", "threshold_cleared")
	got := text(t, m)
	for name, n := range map[string]string{
		"service_failures": "2", "service_kills": "1", "service_limit_hits": "1", "service_rollbacks": "1", "service_unhealthy_events": "1",
		"job_skipped_runs": "1", "service_failed_starts": "1", "service_threshold_crossings": "1", "service_starts": "0",
	} {
		if line := "servicehost_" + name + `_total{service="api",service_instance="1"} ` + n + "\n"; !strings.Contains(got, line) {
			t.Errorf("lacks %s", line)
		}
	}
}

func TestRemovedServiceVanishes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		there := []Instance{busy("api", 1), busy("db", 1)}
		m := New(Options{Read: func(r *Reading, _ bool) { *r = Reading{Instances: slices.Clone(there)} }})
		feed(m, "db", 1, up...)
		if got := text(t, m); !strings.Contains(got, `servicehost_service_starts_total{service="db",service_instance="1"} 1`) {
			t.Fatalf("lacks the service:\n%s", got)
		}
		feed(m, "db", 1, "removed")
		there = there[:1]
		time.Sleep(2 * time.Second)
		if got := text(t, m); strings.Contains(got, `"db"`) {
			t.Errorf("a removed service is told of:\n%s", got)
		}
		feed(m, "db", 1, "exit 0") // late
		m.instances[key{"db", 1}].seen = time.Now()
		time.Sleep(forgotten + time.Second)
		text(t, m)
		if len(m.instances) != 1 {
			t.Errorf("%d instances are remembered", len(m.instances))
		}
		there = append(there, busy("db", 1))
		time.Sleep(2 * time.Second)
		if got := text(t, m); !strings.Contains(got, `servicehost_service_starts_total{service="db",service_instance="1"} 0`) {
			t.Errorf("one that came back goes on counting:\n%s", got)
		}
		time.Sleep(fresh)
	})
}

func TestCPUNeverGoesDownWithinARun(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		i := busy("api", 1)
		m := New(Options{Read: func(r *Reading, _ bool) { *r = Reading{Instances: []Instance{i}} }})
		for _, step := range []struct {
			cpu  time.Duration
			run  uint64
			want string
		}{{5 * time.Second, 1, "5"}, {4 * time.Second, 1, "5"}, {6 * time.Second, 1, "6"}, {time.Second, 2, "1"}} {
			i.Usage.CPU, i.Usage.Run.Incarnation = step.cpu, step.run
			got := series(t, text(t, m), "servicehost_service_cpu_seconds_total")
			if got[`service="api",service_instance="1"`] != step.want {
				t.Errorf("%v of run %d gives %v", step.cpu, step.run, got)
			}
			time.Sleep(2 * time.Second)
		}
	})
}

func TestObserveTakesNoMemoryForWhatHappenedBefore(t *testing.T) {
	m := New(Options{})
	var events []journal.Event
	for n := range 100 {
		s := fmt.Sprint("s", n)
		events = append(events,
			journal.Event{Service: s, Instance: 1, Kind: journal.ProcessExited, Exit: &journal.Exit{Code: 3}},
			journal.Event{Service: s, Instance: 1, Kind: journal.StateChanged, From: "running", To: "backoff"},
			journal.Event{Service: s, Instance: 1, Kind: journal.StateChanged, From: "backoff", To: "starting"},
			journal.Event{Kind: journal.ReloadApplied})
	}
	observe := func() {
		for _, e := range events {
			m.Observe(e)
		}
	}
	observe()
	if n := testing.AllocsPerRun(10, observe); n != 0 {
		t.Errorf("%v allocations", n)
	}
}
