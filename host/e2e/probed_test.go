package e2e

import (
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"os/signal"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"

	"servicehost/host/control"
	"servicehost/host/journal"
)

// roleProbed is a program that can be asked how it is, and the programs that ask and are run around it: MODE …
const roleProbed = "e2e-probed"

func probedChild(args []string) int {
	switch mode := args[0]; mode {
	case "ping": // FILE: all is well as long as it is there
		if _, err := os.Stat(args[1]); err != nil {
			fmt.Println("no", filepath.Base(args[1]))
			return 2
		}
		return 0
	case "note": // FILE TEXT: appends it, and what it is told by variables
		err := appendLine(args[1], "%s service=%s state=%s pid=%s exit=%s\n", args[2], os.Getenv("HOST_SERVICE"), os.Getenv("HOST_STATE"), os.Getenv("HOST_PID"), os.Getenv("HOST_EXIT_CODE"))
		if err != nil {
			fmt.Println(err)
			return 9
		}
		fmt.Println(args[2], "was here")
		return 0
	case "notify":
		if err := sayNotify("READY=1\nSTATUS=serving\n"); err != nil {
			fmt.Println(err)
			return 9
		}
	case "http":
		go func() {
			fmt.Println(http.ListenAndServe("127.0.0.1:"+os.Getenv("PORT"), http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				if _, err := os.Stat(args[1]); err != nil {
					w.WriteHeader(http.StatusServiceUnavailable)
				}
			})))
		}()
	}
	fmt.Println(args[0], "begins")
	ask := make(chan os.Signal, 1)
	signal.Notify(ask, os.Interrupt, syscall.SIGTERM)
	<-ask
	return 0
}

func (r *rig) probed(argv ...string) string {
	b, _ := json.Marshal(append([]string{self(r.t), roleProbed}, argv...))
	return string(b)
}

// flag is a file that says that all is well.
func (r *rig) flag(name string) string {
	path := filepath.ToSlash(filepath.Join(r.dir, name))
	r.raise(path)
	return path
}

func (r *rig) raise(path string) {
	r.t.Helper()
	if err := os.WriteFile(path, nil, 0o600); err != nil {
		r.t.Fatal(err)
	}
}

func (r *rig) lower(path string) {
	r.t.Helper()
	var err error
	r.poll("lower a flag", func() bool { // Windows: a program may be looking at it
		err = os.Remove(path)
		return err == nil
	})
}

func (r *rig) untilHealth(id, health string) control.ServiceStatus {
	r.t.Helper()
	var found control.ServiceStatus
	r.poll(id+" to be "+health, func() bool {
		found = r.service(id)
		return found.Health == health
	})
	return found
}

// TestProbesOfPrograms asks programs by http, tcp, exec, log and notify. Readiness only gates, liveness restarts.
func TestProbesOfPrograms(t *testing.T) {
	r := newRig(t)
	ready, alive := r.flag("ready"), r.flag("alive")
	const quick = "period: 200ms, timeout: 10s, failure_threshold: 2"
	r.write(yaml(
		svc("web", r.probed("http", ready), "port: auto",
			"health: {startup: {log: '^http begins', period: 1s, failure_threshold: 30}, readiness: {http: 'http://127.0.0.1:${PORT}/ready', "+quick+"}, liveness: {tcp: '127.0.0.1:${PORT}', period: 1s, timeout: 10s}}"),
		svc("told", r.probed("notify"), "restart: {delay: 100ms}", "health: {readiness: {notify: true, period: 5s}, liveness: {exec: "+r.probed("ping", alive)+", "+quick+"}}"),
		svc("after", r.probed("wait"), "depends_on: {web: {condition: healthy}, told: {condition: healthy}}"),
	))
	r.start()
	web := r.untilHealth("web", "healthy")
	told := r.untilHealth("told", "healthy")
	r.untilState("after", "running")
	if told.StatusText != "serving" {
		t.Errorf("the program said %q", told.StatusText)
	}
	if out := r.must(0, "why", "told"); !strings.Contains(out, "it says: serving") {
		t.Errorf("why said:\n%s", out)
	}
	for n, want := range []string{"startup log success", "readiness http success", "liveness tcp success"} {
		r.poll("an answer: "+want, func() bool {
			p := r.service("web").Probes
			return len(p) == 3 && p[n].Probe+" "+p[n].Kind+" "+p[n].Result == want
		})
	}

	r.lower(ready)
	if s := r.untilHealth("web", "unhealthy"); s.PID != web.PID || !strings.Contains(s.HealthReason, "status 503, wanted 200-399") || s.AsDesired {
		t.Errorf("not ready: PID %d, before %d, as desired %v, %s", s.PID, web.PID, s.AsDesired, s.HealthReason)
	}
	if out := r.must(3, "status"); !strings.Contains(out, "status 503, wanted 200-399") {
		t.Errorf("status said:\n%s", out)
	}
	r.raise(ready)
	if s := r.untilHealth("web", "healthy"); s.PID != web.PID {
		t.Errorf("readiness restarted it")
	}

	r.lower(alive)
	r.until("told to be ended", func(control.Status) bool { return r.service("told").PID != told.PID })
	r.raise(alive)
	r.poll("told to be back", func() bool {
		s := r.service("told")
		return s.Health == "healthy" && s.PID != told.PID && s.Restarts > 0
	})
	story := events(t, r.must(0, "events", "-n", "1000", "-o", "json"))
	tells(t, story, "web healthy", "after running", "web unhealthy", "web recovered")
	tells(t, story, "told healthy", "told stopping exit 2: no alive", "told backoff liveness probe failed: exec", "told running", "told healthy")
	r.stop()
}

// TestProgramThatIsNeverReadyGoesBack: a binary that starts and does not get ready is one that does not work.
func TestProgramThatIsNeverReadyGoesBack(t *testing.T) {
	r := newRig(t)
	exe, command := r.app(t)
	r.deploy(exe, "one")
	r.write(yaml(svc("api", command, "watch: {shadow_copy: true, quiet: 1s}", "update: {timeout: 3s, monitor: 500ms}",
		"health: {readiness: {log: '^(one|two) is up', period: 200ms}}")))
	r.start()
	r.untilHealth("api", "healthy")
	r.runs("one")
	r.must(0, "reload", "--wait")
	r.deploy(exe, "mute")
	s := r.until("mute to be rolled back", func(s control.Status) bool {
		return s.Services[0].Spec.State == "rolled_back" && s.Services[0].State == "running" && s.Services[0].Health == "healthy"
	})
	if !strings.Contains(s.Host.Spec.Reason, "not ready within update.timeout, 3s: log") {
		t.Errorf("the reason is %s", s.Host.Spec.Reason)
	}
	r.runs("one")
	r.deploy(exe, "two")
	r.runs("two")
	r.untilHealth("api", "healthy")
	r.until("the spec to be applied", func(s control.Status) bool { return s.Host.Spec.State == control.SpecApplied })
	r.stop()
}

// TestJobsAndHooks: a job of each second, one that is run now, and hooks that are told what happens.
func TestJobsAndHooks(t *testing.T) {
	r := newRig(t)
	notes := filepath.ToSlash(filepath.Join(r.dir, "notes"))
	hook := func(name string) string {
		return name + ": [{exec: " + r.probed("note", notes, name) + ", timeout: 30s}]"
	}
	r.write("host: {shutdown_timeout: 5m}\n" + yaml(
		svc("tick", r.probed("note", filepath.ToSlash(filepath.Join(r.dir, "ticks")), "tick"), "type: scheduled", "schedule: {cron: '* * * * * *'}"),
		svc("report", r.probed("note", filepath.ToSlash(filepath.Join(r.dir, "reports")), "report"), "type: scheduled", "schedule: {cron: '0 0 29 2 *'}"),
		svc("api", r.probed("wait"), "hooks: {"+hook("pre_start")+", "+hook("post_start")+", "+hook("pre_stop")+", "+hook("post_stop")+"}"),
	))
	r.start()
	r.untilState("api", "running")
	r.poll("three ticks", func() bool { return len(r.service("tick").Runs) >= 3 })
	for _, run := range r.service("tick").Runs {
		if !run.Success || run.DurationMS < 0 || run.By != "" {
			t.Errorf("a tick: %+v", run)
		}
	}
	if s := r.service("report"); s.State != "waiting" || !s.AsDesired || s.NextRun == nil || len(s.Runs) != 0 {
		t.Errorf("report before its run: %+v", s)
	}
	r.must(0, "run-now", "report") // it returns once the job runs
	r.poll("the end of the run", func() bool { return len(r.service("report").Runs) == 1 })
	if s := r.untilState("report", "waiting"); !s.Runs[0].Success || s.Runs[0].By == "" || len(s.Runs) != 1 {
		t.Errorf("report after its run: %+v", s)
	}
	pid := r.service("api").PID
	noted := func() []string {
		b, _ := os.ReadFile(notes)
		return strings.Split(strings.TrimSpace(string(b)), "\n")
	}
	r.poll("post_start", func() bool { return len(noted()) == 2 })
	r.must(0, "stop", "api")
	r.poll("post_stop", func() bool { return len(noted()) == 4 })
	lines := noted()
	want := []string{"pre_start service=api state=starting pid= exit=", fmt.Sprintf("post_start service=api state=running pid=%d exit=", pid),
		fmt.Sprintf("pre_stop service=api state=stopping pid=%d exit=", pid), "post_stop service=api state="}
	for n, w := range want {
		if n >= len(lines) || !strings.HasPrefix(lines[n], w) {
			t.Fatalf("hooks noted\n%s\nwanted\n%s", strings.Join(lines, "\n"), strings.Join(want, "\n"))
		}
	}
	if out := r.must(0, "logs", "api", "-n", "20"); !strings.Contains(out, "pre_start was here") || !strings.Contains(out, "post_stop was here") {
		t.Errorf("the output of hooks is not in the log:\n%s", out)
	}
	if slices.ContainsFunc(events(t, r.must(0, "events", "-n", "1000", "-o", "json")), func(e journal.Event) bool { return e.Kind == journal.Warning }) {
		t.Errorf("there are warnings:\n%s", r.must(0, "events", "-n", "1000"))
	}
	r.must(0, "stop", "tick") // one that begins or ends just now may not hear it: that is a warning
	r.stop()
}
