package e2e

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"servicehost/host/control"
	"servicehost/host/journal"
)

const roleEat = "e2e-eat"

func init() {
	childRoles[roleEat] = func([]string) int { // memory, more and more, and it uses it
		var all [][]byte
		for range 64 {
			piece := make([]byte, 8<<20)
			for n := 0; n < len(piece); n += 4096 {
				piece[n] = 1
			}
			all = append(all, piece)
			time.Sleep(10 * time.Millisecond)
		}
		fmt.Println("ate it all")
		time.Sleep(time.Hour)
		return len(all)
	}
}

// why asks until the answer has all these lines, in this order; each is a regular expression.
func (r *rig) why(id string, lines ...string) string {
	r.t.Helper()
	var out string
	pattern := regexp.MustCompile(`(?s)` + strings.Join(lines, `.*\n`))
	end := time.Now().Add(patience)
	for {
		o, e, code := r.cli("why", id)
		if out = o; code == 0 && pattern.MatchString(out) {
			return out
		}
		if time.Now().After(end) {
			r.t.Fatalf("why %s says\n%s%s\nwant lines\n%s", id, o, e, strings.Join(lines, "\n"))
		}
		time.Sleep(50 * time.Millisecond)
	}
}

// happened are the events of a kind of a service.
func (r *rig) told(id string, k journal.Kind) (out []journal.Event) {
	r.t.Helper()
	for line := range strings.Lines(r.must(0, "events", id, "-n", "all", "--kind", string(k), "-o", "json")) {
		var e journal.Event
		if err := json.Unmarshal([]byte(line), &e); err != nil {
			r.t.Fatalf("event %q: %v", line, err)
		}
		out = append(out, e)
	}
	return out
}

func TestWhyOfACrashAndOfAnOperatorsStop(t *testing.T) {
	r := newRig(t)
	r.write(yaml(
		svc("crash", r.child("exit", "crash", "50"), "restart: {delay: 200ms, max_delay: 200ms, limit: 2, retry_after: 1h}"),
		svc("stopped", r.child("run", "stopped")),
	))
	r.start()
	r.untilState("stopped", "running")
	r.must(0, "stop", "stopped", "--until", "2h")
	r.untilState("crash", "failed")
	r.why("crash", `failed for \S+: crash loop: 2 restarts in 10m \(last: exit 3 after \S+\); tried again in .*"crash is up"`,
		`  \S+ ago: it ended by itself \(process \d+\): exit 3 after`, `  before that 2 times the same: exit 3, since`, `  \S+ ago: the host started`)
	r.why("stopped", `stopped for \S+: stopped by \S+`, `  \S+ ago: \S+ stopped it, until \d{4}-`)
	exits := r.told("crash", journal.ProcessExited)
	if len(exits) != 3 {
		t.Fatalf("%d exits", len(exits))
	}
	for _, e := range exits {
		if e.Exit == nil || e.Exit.Code != 3 || e.Exit.Uptime < 50*time.Millisecond || e.PID == 0 || e.Details[journal.LastLines] != "crash is up" || e.Details[journal.DetailSuccess] != "" {
			t.Errorf("an exit is told as %+v, %+v", e, e.Exit)
		}
	}
	ops := r.told("stopped", journal.OperatorAction)
	if until, err := time.Parse(time.RFC3339, ops[0].Details[journal.DetailUntil]); len(ops) != 1 || ops[0].Actor == "" || err != nil || time.Until(until) > 2*time.Hour {
		t.Errorf("a stop is told as %+v", ops)
	}

	// The report counts the crashes, and the stop as planned; it says the same from disk.
	for _, running := range []bool{true, false} {
		if !running {
			r.stop()
		}
		var rep control.Report
		if err := json.Unmarshal([]byte(r.must(0, "report", "--since", "1h", "-o", "json")), &rep); err != nil || len(rep.Services) != 2 {
			t.Fatalf("%+v, %v", rep, err)
		}
		if s := rep.Services[0]; s.ID != "crash" || s.Outages != 3 || s.Restarts != 2 || s.RestartsBy[journal.RestartExit] != 2 || s.DownSeconds == 0 || *s.Availability >= 100 {
			t.Errorf("host running %v: %+v", running, s)
		}
		if s := rep.Services[1]; s.ID != "stopped" || s.Outages != 0 || s.Restarts != 0 || s.PlannedSeconds == 0 || s.DownSeconds != 0 || *s.Availability != 100 {
			t.Errorf("host running %v: %+v", running, s)
		}
	}
}

func TestWhyOfProbesAndDependencies(t *testing.T) {
	r := newRig(t)
	nobody := `{tcp: "127.0.0.1:1", period: 1s, timeout: 1s, failure_threshold: 1}`
	r.write(yaml(
		svc("live", r.child("run", "live"), "restart: {delay: 50ms, max_delay: 50ms}", "health: {liveness: "+nobody+"}"),
		svc("ready", r.child("run", "ready"), "health: {readiness: "+nobody+"}"),
		svc("slow", r.child("exit", "slow", "10"), "restart: {delay: 1h, max_delay: 1h}"),
		svc("db", r.child("run", "db")),
		svc("app", r.child("run", "app"), "depends_on: {db: {restart: true}}"),
		svc("setup", r.child("exit", "setup", "10"), "type: oneshot"),
		svc("needs", r.child("run", "needs"), "depends_on: {setup: {condition: completed}}"),
		svc("lacks", r.child("run", "lacks"), "requires: {files: [nowhere.toml]}"),
	))
	r.start()
	r.untilState("app", "running")
	r.must(0, "restart", "db")
	r.why("app", `running for`, `  \S+ ago: restarted, as "db", which it depends on, was restarted`, `    db: \S+ ago: \S+ restarted it\n$`)
	r.why("live", `  \S+ ago: liveness probe failed: .*; so the host ended it \(process \d+\) after`, `  before that .*the same: liveness probe failed`, `  \S+ ago: the host started`)
	r.why("ready", `running for \S+ \(process \d+\)`)
	r.why("needs", `failed for \S+: its dependency "setup" failed: exit 3`, `    setup: failed for \S+: exit 3`, `    setup: \S+ ago: it ended by itself \(process \d+\): exit 3 after`, `  \S+ ago: the host started`)
	r.why("lacks", `waiting for \S+: requires: file .*nowhere.toml.* is not there`, `  \S+ ago: the host started`)

	// A host that was killed is told of by the next one.
	r.kill()
	r.start()
	r.untilState("db", "running")
	r.why("db", `running for`, `  \S+ ago: the host started: .*; the former one had crashed or was killed\n$`)
	if started := r.toldOfHost(journal.HostStarted); len(started) != 2 || started[1].Details[journal.DetailLastAlive] == "" {
		t.Errorf("starts are told as %+v", started)
	}
	r.untilState("slow", "backoff")
	r.must(0, "pause")
	r.why("slow", `backoff for \S+: exit 3 after \S+, next try after host resume: "slow is up"`, `  \S+ ago: the host was paused by \S+; nothing is started again until host resume`)
	if s := r.untilState("slow", "backoff"); s.NextRun != nil {
		t.Errorf("a paused host tells of a next try at %v", s.NextRun)
	}
	r.stop()
}

func (r *rig) toldOfHost(k journal.Kind) (out []journal.Event) {
	r.t.Helper()
	for line := range strings.Lines(r.must(0, "events", "-n", "all", "--kind", string(k), "-o", "json")) {
		var e journal.Event
		if err := json.Unmarshal([]byte(line), &e); err != nil {
			r.t.Fatalf("event %q: %v", line, err)
		}
		out = append(out, e)
	}
	return out
}

func TestWhyOfABadCommit(t *testing.T) {
	bin, err := exec.LookPath("git")
	if err != nil {
		t.Skip("no git here to commit with")
	}
	r := newRig(t)
	git := func(args ...string) {
		t.Helper()
		cmd := exec.Command(bin, args...)
		cmd.Dir = r.dir
		cmd.Env = append(os.Environ(), "GIT_CONFIG_GLOBAL="+os.DevNull, "GIT_CONFIG_NOSYSTEM=1", "HOME="+r.dir,
			"GIT_AUTHOR_NAME=Li Wei", "GIT_AUTHOR_EMAIL=li@example.com", "GIT_COMMITTER_NAME=ci", "GIT_COMMITTER_EMAIL=ci@example.com")
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("git %v: %v\n%s", args, err, out)
		}
	}
	text := func(command string) string { return yaml(svc("api", command, "update: {monitor: 2s}")) }
	git("init", "-q", ".")
	r.write(text(r.child("run", "api")))
	git("add", "services.yaml")
	git("commit", "-q", "-m", "start with this")
	r.write(text(r.child("exit", "api", "10")))
	git("commit", "-q", "-a", "-m", "use the new option\n\nas everybody does")
	git("checkout", "-q", "HEAD~1")
	r.start()
	r.untilState("api", "running")
	git("checkout", "-q", "-")
	r.until("a rollback", func(s control.Status) bool {
		return s.Host.Spec.State == control.SpecRolledBack && s.Services[0].PID != 0
	})
	r.why("api", `running for`, `  \S+ ago: it went back to the spec that worked before: .*exit 3 after`,
		`  \S+ ago: it ended by itself \(process \d+\): exit 3 after \S+; its last line: "api is up"`, `  \S+ ago: its spec changed: command`,
		`  \S+ ago: reload: commit [0-9a-f]{7} "use the new option" by Li Wei \(services.yaml of .+\): restart api\n$`)
	back := r.told("api", journal.RolledBack)
	if len(back) != 1 || back[0].Details[journal.DetailSubject] != "use the new option" || back[0].Details[journal.DetailAuthor] != "Li Wei" || back[0].Details[journal.DetailUncommitted] != "" {
		t.Errorf("the rollback is told as %+v", back)
	}
	// An edit that is not committed is told as that.
	r.write(text(r.child("run", "edited")))
	r.until("the edit", func(s control.Status) bool { return s.Host.Spec.State == control.SpecApplied })
	r.why("api", `  \S+ ago: reload: services.yaml of .+, not as in commit [0-9a-f]{7} "use the new option" by Li Wei: restart api\n$`)
	r.stop()
}

func TestWhyOfALackOfMemory(t *testing.T) {
	r := newRig(t)
	cmd, _ := json.Marshal([]string{self(t), roleEat})
	r.write(yaml(svc("eater", string(cmd), "limits: {memory: 96MiB}", "restart: {delay: 1h, max_delay: 1h}")))
	r.start()
	r.untilState("eater", "running")
	if w := r.warnings("eater"); len(w) > 0 {
		r.stop()
		t.Skipf("nothing holds a service to its memory here: %s", w)
	}
	all := ""
	r.poll("an end", func() bool {
		all, _, _ = r.cli("logs", "eater")
		s := r.status()
		return s.Services[0].State == "backoff" || strings.Contains(all, "ate it all")
	})
	if r.status().Services[0].State != "backoff" && strings.Contains(all, "ate it all") {
		r.stop()
		t.Skip("nothing holds a service to its memory here, as it seems: Wine takes the limit and does nothing")
	}
	r.untilState("eater", "backoff")
	r.why("eater", `backoff for \S+: out of memory \(limit 96MiB\)`, `  \S+ ago: .*out of memory \(limit 96MiB\)`, `  \S+ ago: the host started`)
	r.stop()
}

// TestKilledHostKeepsWhatItTold kills the host while events pour in: what is on disk is whole, without a hole,
// and all that somebody was shown but for the last moments.
func TestKilledHostKeepsWhatItTold(t *testing.T) {
	r := newRig(t)
	var services []string
	for n := range 6 {
		services = append(services, svc(fmt.Sprint("loop", n), r.child("exit", fmt.Sprint("loop", n), "1"), "restart: {policy: always, delay: 1ms, max_delay: 1ms, limit: 0}"))
	}
	r.write("host: {restarts: {rate: 1000/s}}\n" + strings.TrimPrefix(yaml(services...), "version: 1\n"))
	var last uint64
	rounds := 3
	if slow {
		rounds = 1
	}
	for round := range rounds {
		r.start()
		shown := &buffer{}
		follow := exec.Command(r.exe, roleHost, "-f", r.spec, "events", "-f", "-n", "0", "-o", "json")
		follow.Env, follow.Dir, follow.Stdout = r.env, r.dir, shown
		if err := follow.Start(); err != nil {
			t.Fatal(err)
		}
		r.poll("events to pour in", func() bool { return strings.Count(shown.String(), "\n") > 200 })
		killed := time.Now()
		r.kill()
		_ = follow.Wait() // its host is gone
		var kept []journal.Event
		if err := journal.Read(filepath.Join(r.dir, ".host", "journal"), journal.Query{}, func(e journal.Event) error {
			kept = append(kept, e)
			return nil
		}); err != nil {
			t.Fatal(err)
		}
		for n, e := range kept {
			if n > 0 && e.Seq != kept[n-1].Seq+1 {
				t.Fatalf("round %d: event %d follows event %d", round, e.Seq, kept[n-1].Seq)
			}
		}
		if kept[len(kept)-1].Seq <= last {
			t.Fatalf("round %d: nothing new is kept", round)
		}
		last = kept[len(kept)-1].Seq
		lines := strings.Split(shown.String(), "\n")
		for _, line := range lines[:len(lines)-1] {
			var e journal.Event
			if err := json.Unmarshal([]byte(line), &e); err != nil {
				t.Fatalf("round %d: %q was shown: %v", round, line, err)
			}
			if e.Seq > last && killed.Sub(e.Time) > 500*time.Millisecond {
				t.Errorf("round %d: event %d of %v before the kill was shown, and is not kept", round, e.Seq, killed.Sub(e.Time))
			}
		}
	}
}
