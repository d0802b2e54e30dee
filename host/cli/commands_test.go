package cli

import (
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"servicehost/host/control"
	"servicehost/host/journal"
	"servicehost/spec"
)

func TestStatusExitCodeSaysWhetherSomebodyShouldLook(t *testing.T) {
	good := orders()
	good.Services = good.Services[:3]
	rejected := good
	rejected.Host.Spec.State = control.SpecRejected
	rejected.Host.Spec.Problems = []spec.Problem{{File: "s.yaml", Line: 1, Message: "bad"}}
	tests := []struct {
		name   string
		status control.Status
		args   []string
		code   int
	}{
		{"all as desired", good, nil, 0},
		{"one in backoff", orders(), nil, 3},
		{"the one in backoff is not meant", orders(), []string{"api", "batch"}, 0},
		{"the one in backoff is meant", orders(), []string{"\u5de5\u4f5c\u8005"}, 3},
		{"spec rejected", rejected, nil, 3},
		{"unknown service", good, []string{"apo"}, 1},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			runDir(t)
			serve(t, &fakeHost{status: tt.status}, "orders-01", "services.yaml")
			for _, form := range []string{"text", "json"} {
				if r := invoke(append([]string{"status", "-o", form}, tt.args...)...); r.code != tt.code {
					t.Errorf("%s: exit %d, want %d\n%s%s", form, r.code, tt.code, r.stdout, r.stderr)
				}
			}
		})
	}
}

func TestStatusJSONKeepsItsContract(t *testing.T) {
	runDir(t)
	serve(t, &fakeHost{status: orders()}, "orders-01", "services.yaml")
	r := invoke("status", "-o", "json", "api.2", "batch")
	var got map[string]any
	if err := json.Unmarshal([]byte(r.stdout), &got); err != nil {
		t.Fatalf("%v in %s", err, r.stdout)
	}
	host := got["host"].(map[string]any)
	for _, key := range []string{"name", "version", "pid", "started_at", "spec"} {
		if _, ok := host[key]; !ok {
			t.Errorf("no host.%s", key)
		}
	}
	for _, key := range []string{"path", "state", "hash", "applied_at", "problems"} {
		if _, ok := host["spec"].(map[string]any)[key]; !ok {
			t.Errorf("no host.spec.%s", key)
		}
	}
	services := got["services"].([]any)
	if len(services) != 2 {
		t.Fatalf("%d services, want the 2 that were named", len(services))
	}
	for _, key := range []string{"name", "instance", "id", "state", "health", "desired", "reason", "pid", "spec", "restarts", "since",
		"started_at", "next_run", "last_exit", "cpu_percent", "memory_bytes", "processes"} {
		if _, ok := services[0].(map[string]any)[key]; !ok {
			t.Errorf("no services[0].%s", key)
		}
	}
}

func TestCommandsSayThatNoHostIsRunning(t *testing.T) {
	commands := [][]string{{"status"}, {"plan"}, {"reload"}, {"start", "a"}, {"stop", "--all"}, {"restart", "a"}, {"signal", "a", "HUP"},
		{"pause"}, {"resume"}, {"rotate"}, {"logs"}, {"events"}, {"why", "a"}, {"status", "--watch"}, {"events", "-f"}}
	t.Run("nothing at all", func(t *testing.T) {
		runDir(t)
		for _, c := range commands {
			r := invoke(c...)
			if r.code != 4 || r.stdout != "" || !strings.HasPrefix(r.stderr, "no host is running\nhint: start it with: host run") {
				t.Errorf("%v: %+v", c, r)
			}
		}
	})
	t.Run("another one", func(t *testing.T) {
		dir := runDir(t)
		serve(t, &fakeHost{}, "billing", "/srv/billing/services.yaml")
		for _, c := range commands {
			r := invoke(append([]string{"--name", "orders"}, c...)...)
			if r.code != 4 || !strings.Contains(r.stderr, `no host named "orders" is running`) || !strings.Contains(r.stderr, "billing") ||
				!strings.Contains(r.stderr, "services.yaml") {
				t.Errorf("%v: %+v", c, r)
			}
		}
		file := filepath.Join(dir, "other.yaml")
		r := invoke("-f", file, "status", "-o", "json")
		var e struct{ Error errorJSON }
		if err := json.Unmarshal([]byte(r.stderr), &e); err != nil || r.code != 4 || r.stdout != "" {
			t.Fatalf("%+v, %v", r, err)
		}
		if !strings.Contains(e.Error.Message, "other.yaml") || !strings.Contains(e.Error.Hint, "billing") || !strings.Contains(e.Error.Hint, "host run -f") {
			t.Errorf("%+v", e)
		}
	})
}

func TestCommandsPickTheHostThatIsMeant(t *testing.T) {
	dir := runDir(t)
	one, two := filepath.Join(dir, "one.yaml"), filepath.Join(dir, "two.yaml")
	s1, s2 := orders(), orders()
	s1.Host.Name, s2.Host.Name = "one", "two"
	s1.Services, s2.Services = nil, nil
	serve(t, &fakeHost{status: s1}, "one", one)
	serve(t, &fakeHost{status: s2}, "two", two)

	r := invoke("status")
	if r.code != 1 || !strings.Contains(r.stderr, "2 hosts are running") || !strings.Contains(r.stderr, "one.yaml") || !strings.Contains(r.stderr, "pick one with -f FILE or --name NAME") {
		t.Errorf("%+v", r)
	}
	for _, args := range [][]string{{"-f", "two.yaml", "status"}, {"status", "-f", two}, {"status", "--file=two.yaml"}, {"--name", "TWO", "status"}, {"status", "--name", "two"}} {
		if r := invoke(args...); r.code != 0 || !strings.HasPrefix(r.stdout, "two ") {
			t.Errorf("%v: %+v", args, r)
		}
	}
	t.Setenv("HOST_FILE", one)
	if r := invoke("status"); r.code != 0 || !strings.HasPrefix(r.stdout, "one ") {
		t.Errorf("HOST_FILE: %+v", r)
	}
	if r := invoke("status", "-f", two); r.code != 0 || !strings.HasPrefix(r.stdout, "two ") {
		t.Errorf("-f beside HOST_FILE: %+v", r)
	}
}

func TestPlanTakesTheFileOfTheCurrentFolder(t *testing.T) {
	dir := runDir(t)
	serve(t, &fakeHost{plan: control.Plan{State: "applied", Path: "x", Problems: []spec.Problem{}, Changes: []control.PlanChange{}}}, "one", filepath.Join(dir, "one.yaml"))
	if r := invoke("plan"); r.code != 0 || !strings.Contains(r.stdout, "nothing to do") {
		t.Errorf("the only host: %+v", r)
	}
	if err := os.WriteFile("services.yaml", []byte("services: {}\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if r := invoke("plan"); r.code != 4 || !strings.Contains(r.stderr, "services.yaml") {
		t.Errorf("the only host runs another file: %+v", r)
	}
}

func TestPlanShowsChanges(t *testing.T) {
	runDir(t)
	f := &fakeHost{plan: control.Plan{State: "pending", Path: "/srv/services.yaml", Held: "it stops 3 of 4", Problems: []spec.Problem{}, Changes: []control.PlanChange{
		{Name: "api", Instance: 1, ID: "api.1", Action: "restart", Order: "start_first", Parallelism: 2, Fields: []control.PlanField{{Path: "env.KEY", Old: "<redacted #1>", New: "<redacted #2>", Class: "restart"}}},
		{Name: "api", Instance: 2, ID: "api.2", Action: "restart", Order: "start_first", Parallelism: 2, Reason: "waits for api.1"},
		{Name: "db", Instance: 1, ID: "db", Action: "restart", Order: "stop_first", Parallelism: 1},
		{Name: "hup", Instance: 1, ID: "hup", Action: "update", Reason: "told by on_change"},
		{Name: "old", Instance: 1, ID: "old", Action: "remove"},
		{Name: "web", Instance: 1, ID: "web", Action: "update", Fields: []control.PlanField{{Path: "restart.delay", Old: "1s", New: "2s", Class: "live"}}},
		{Action: "next_start", Fields: []control.PlanField{{Path: "state_dir", Old: "", New: "/x", Class: "next_start"}}},
	}}}
	serve(t, f, "orders-01", "services.yaml")
	want := `orders-01  /srv/services.yaml  7 changes
~ api.1  restart: start_first, 2 at a time
    env.KEY: <redacted #1> → <redacted #2>
~ api.2  restart: start_first, 2 at a time; waits for api.1
~ db     restart: stop_first
~ hup    update: told by on_change
- old    remove
~ web    update
    restart.delay: 1s → 2s  (without a restart)
~ host   next start
    state_dir: - → /x  (with the next start of the host)
held: it stops 3 of 4
hint: apply it with: host reload --confirm
`
	if r := invoke("plan"); r.code != 2 || r.stdout != want {
		t.Errorf("exit %d\n%s\nwant\n%s", r.code, r.stdout, want)
	}
	var p control.Plan
	if r := invoke("plan", "--json"); r.code != 2 || json.Unmarshal([]byte(r.stdout), &p) != nil || len(p.Changes) != 7 || p.Changes[1].Order != "start_first" || p.Changes[1].Parallelism != 2 {
		t.Errorf("%+v", r)
	}
	f.plan = control.Plan{State: "rejected", Problems: []spec.Problem{{File: "s.yaml", Line: 2, Column: 3, Path: "services.a", Message: "bad", Hint: "mend it"}}}
	if r := invoke("plan"); r.code != 1 || !strings.Contains(r.stdout, "s.yaml:2:3: services.a: bad; mend it\n") {
		t.Errorf("%+v", r)
	}
}

func TestReloadExitCodeSaysHowItEnded(t *testing.T) {
	runDir(t)
	f := &fakeHost{}
	serve(t, f, "orders-01", "services.yaml")
	change := []control.PlanChange{{ID: "api", Action: "restart"}}
	tests := []struct {
		r     control.ReloadResult
		code  int
		words string
	}{
		{control.ReloadResult{State: control.SpecApplied}, 0, "nothing to do"},
		{control.ReloadResult{State: control.SpecApplied, Changes: change}, 0, "applied: 1 change"},
		{control.ReloadResult{State: control.SpecApplied, Changes: change, Failed: []string{"api"}}, 1, "failed: api"},
		{control.ReloadResult{State: control.SpecPending, Changes: change, Reason: "too much"}, 1, "held: too much"},
		{control.ReloadResult{State: control.SpecRejected, Problems: []spec.Problem{{File: "s.yaml", Line: 4, Message: "bad"}}}, 2, "s.yaml:4: bad"},
		{control.ReloadResult{State: control.SpecRolledBack, Changes: change, RolledBack: []string{"api"}, Reason: "exit 1"}, 3, "rolled back: api"},
	}
	for _, tt := range tests {
		f.reload = tt.r
		if r := invoke("reload", "--confirm", "--retry", "api", "--wait"); r.code != tt.code || !strings.Contains(r.stdout, tt.words) {
			t.Errorf("%+v: exit %d\n%s%s", tt.r, r.code, r.stdout, r.stderr)
		}
		if r := invoke("reload", "-o", "json"); r.code != tt.code || !json.Valid([]byte(r.stdout)) {
			t.Errorf("%+v: exit %d\n%s", tt.r, r.code, r.stdout)
		}
	}
	if q := f.reloads[0]; !q.Confirm || !q.Wait || !slices.Equal(q.Retry, []string{"api"}) || q.Actor == "" {
		t.Errorf("asked for %+v", q)
	}
}

func TestVerbsAskTheHost(t *testing.T) {
	runDir(t)
	f := &fakeHost{result: control.ActResult{Services: []control.ActOutcome{
		{ID: "api.1", OK: true, State: "running", PID: 12}, {ID: "api.2", OK: true, State: "stopped"}}}}
	serve(t, f, "orders-01", "services.yaml")
	tests := []struct {
		args []string
		want control.ActRequest
		out  string
	}{
		{[]string{"start", "api", "--timeout", "1m30s"}, control.ActRequest{Verb: "start", Names: []string{"api"}, Timeout: 90 * time.Second}, "started"},
		{[]string{"stop", "--all", "--no-wait"}, control.ActRequest{Verb: "stop", All: true, NoWait: true}, "asked to stop"},
		{[]string{"restart", "a", "b.2"}, control.ActRequest{Verb: "restart", Names: []string{"a", "b.2"}}, "restarted"},
		{[]string{"signal", "api", "HUP"}, control.ActRequest{Verb: "signal", Names: []string{"api"}, Signal: "HUP"}, "HUP sent"},
		{[]string{"rotate"}, control.ActRequest{Verb: "rotate", All: true}, "rotated"},
		{[]string{"rotate", "api"}, control.ActRequest{Verb: "rotate", Names: []string{"api"}}, "rotated"},
	}
	for _, tt := range tests {
		r := invoke(tt.args...)
		got := f.asked[len(f.asked)-1]
		got.Actor = ""
		if r.code != 0 || got.Verb != tt.want.Verb || !slices.Equal(got.Names, tt.want.Names) || got.All != tt.want.All ||
			got.NoWait != tt.want.NoWait || got.Timeout != tt.want.Timeout || got.Signal != tt.want.Signal || !strings.Contains(r.stdout, tt.out) {
			t.Errorf("%v asked for %+v; %+v", tt.args, got, r)
		}
	}
	before := time.Now()
	if r := invoke("stop", "api", "--until", "2h"); r.code != 0 {
		t.Errorf("%+v", r)
	}
	if u := f.asked[len(f.asked)-1].Until; u == nil || u.Sub(before) < 2*time.Hour || u.Sub(before) > 3*time.Hour {
		t.Errorf("until %v", u)
	}
	f.result.Services[1] = control.ActOutcome{ID: "api.2", State: "failed", Reason: "exit 1"}
	if r := invoke("start", "api"); r.code != 1 || !strings.Contains(r.stdout, "✗ api.2  failed   exit 1\n") {
		t.Errorf("%+v", r)
	}
	if r := invoke("pause"); r.code != 0 || !strings.HasPrefix(r.stdout, "paused") {
		t.Errorf("%+v", r)
	}
	if r := invoke("resume", "-o", "json"); r.code != 0 || r.stdout != "{\n  \"paused\": false\n}\n" {
		t.Errorf("%+v", r)
	}
	if !slices.Equal(f.pauses, []bool{true, false}) {
		t.Errorf("pauses %v", f.pauses)
	}
}

func TestBadUsageIsExplained(t *testing.T) {
	runDir(t)
	tests := []struct {
		args          []string
		message, hint string
	}{
		{[]string{"statsu"}, `unknown command "statsu"`, "did you mean status"},
		{[]string{"frobnicate"}, `unknown command "frobnicate"`, "host --help"},
		{[]string{"daemon", "stast"}, `unknown command "stast"`, "did you mean start"},
		{[]string{"daemon", "status", "--name", "a b"}, `cannot call a service "a b"`, "letters"},
		{[]string{"install", "-f", "/nowhere/a.yaml", "--password-stdin"}, "nowhere", ""},
		{[]string{"install", "--start", "sometimes"}, "must be auto or delayed", "host install --help"},
		{[]string{"status", "--bogus"}, "unknown flag: --bogus", "host status --help"},
		{[]string{"status", "-o", "xml"}, "must be text or json", "host status --help"},
		{[]string{"start"}, "say which services to start", "--all"},
		{[]string{"stop", "a", "--all"}, "exclude each other", ""},
		{[]string{"stop", "a", "--timeout", "5"}, "5", "host stop --help"},
		{[]string{"stop", "a", "--until", "2006-01-02"}, "is over already", "a time to come"},
		{[]string{"stop", "a", "--until", "soon"}, "must be like", "host stop --help"},
		{[]string{"signal", "a"}, "needs 2 arguments", "host signal web HUP"},
		{[]string{"why"}, "say which service", "host why web"},
		{[]string{"logs", "-n", "some"}, "a number or all", "host logs --help"},
		{[]string{"logs", "--grep", "("}, "cannot read --grep", "RE2"},
		{[]string{"logs", "--since", "5m", "--until", "10m"}, "nothing lies between --since 5m and --until 10m", "--since is the earlier one"},
		{[]string{"logs", "--stream", "out"}, "must be stdout or stderr", "host logs --help"},
		{[]string{"logs", "-o", "yaml"}, "must be text or json or raw", "host logs --help"},
		{[]string{"--set", "x", "validate"}, "NAME=value", "--help"},
		{[]string{"completion", "tcsh"}, `unknown shell "tcsh"`, "bash"},
		{[]string{"help", "nothing"}, `unknown command "nothing"`, "host --help"},
	}
	for _, tt := range tests {
		r := invoke(tt.args...)
		if r.code != 1 || r.stdout != "" || !strings.Contains(r.stderr, tt.message) || !strings.Contains(r.stderr, tt.hint) {
			t.Errorf("%v: %+v", tt.args, r)
		}
		r = invoke(append(tt.args, "-o", "json")...)
		var e struct{ Error errorJSON }
		if err := json.Unmarshal([]byte(r.stderr), &e); r.code != 1 || err != nil || e.Error.Message == "" {
			t.Errorf("%v as JSON: %+v", tt.args, r)
		}
	}
}

func TestHelpListsExitCodes(t *testing.T) {
	root := newRoot(&app{now: time.Now}, "")
	for _, c := range leaves(root) {
		name := strings.Fields(c.CommandPath())[1:]
		if !strings.Contains(c.Long, "\n\nExit codes:\n  0  ") {
			t.Errorf("the help of %s says nothing about exit codes", name)
		}
		if r := invoke(append(name, "--help")...); r.code != 0 || !strings.Contains(r.stdout, "Exit codes:") {
			t.Errorf("%s --help: %+v", name, r)
		}
		if r := invoke(append([]string{"help"}, name...)...); r.code != 0 || !strings.Contains(r.stdout, "Exit codes:") {
			t.Errorf("help %s: %+v", name, r)
		}
	}
}

func TestLogsPrefixesLinesOfSeveralServices(t *testing.T) {
	runDir(t)
	f := &fakeHost{status: orders(), lines: []control.LogLine{{ID: "api.1", Line: "one"}, {ID: "\u5de5\u4f5c\u8005", Line: "\x1b[31mtwo\x1b[2J"}, {ID: "api.2", Line: "three"}}}
	serve(t, f, "orders-01", "services.yaml")
	want := "api.1  | one\n\u5de5\u4f5c\u8005 | \x1b[31mtwo\x1b[2J\napi.2  | three\n"
	if r := invoke("logs"); r.code != 0 || r.stdout != want {
		t.Errorf("%q, want %q", r.stdout, want)
	}
	if q := f.logs[0]; q.Last != 100 || q.Follow || len(q.Services) != 0 {
		t.Errorf("asked for %+v", q)
	}
	f.lines = f.lines[:1]
	if r := invoke("logs", "api.1", "-n", "all", "-f", "--grep", "o"); r.code != 0 || r.stdout != "one\n" {
		t.Errorf("%+v", r)
	}
	if q := f.logs[1]; q.Last != -1 || !q.Follow || q.Grep != "o" || !slices.Equal(q.Services, []string{"api.1"}) {
		t.Errorf("asked for %+v", q)
	}
	if r := invoke("logs", "-o", "json"); r.stdout != `{"id":"api.1","stream":"","line":"one"}`+"\n" {
		t.Errorf("%+v", r)
	}
	if r := invoke("logs", "apo"); r.code != 1 || !strings.Contains(r.stderr, "no service \"apo\"\nhint: did you mean \"api") {
		t.Errorf("%+v", r)
	}
}

func TestLogsAsksForATimeAndAForm(t *testing.T) {
	runDir(t)
	at := time.Date(2026, 11, 21, 9, 2, 3, 456e6, time.UTC)
	f := &fakeHost{status: orders(), lines: []control.LogLine{
		{ID: "api.1", Service: "api", Instance: 1, Stream: "stderr", Time: at, Line: "one\n  two"},
		{ID: "api.2", Line: "\ufffd", Bytes: []byte("\xff")},
	}}
	serve(t, f, "orders-01", "services.yaml")
	if r := invoke("logs", "-o", "json", "--since", "2026-11-21 09:00", "--until", "10m", "--stream", "stderr"); r.code != 0 || !strings.HasPrefix(r.stdout,
		`{"time":"2026-11-21T09:02:03.456Z","id":"api.1","service":"api","instance":1,"stream":"stderr","line":"one\n  two"}`+"\n") {
		t.Errorf("%+v", r)
	}
	q := f.logs[0]
	if since := time.Date(2026, 11, 21, 9, 0, 0, 0, time.Local); !q.Since.Equal(since) || time.Since(q.Until.Add(10*time.Minute)).Abs() > time.Minute || q.Stream != "stderr" || q.Last != -1 || q.Raw {
		t.Errorf("asked for %+v", q)
	}
	if r := invoke("logs", "-o", "raw", "-n", "5", "--since", "1h", "--stream", "all"); r.code != 0 || r.stdout != "one\n  two\n\xff\n" {
		t.Errorf("%+v", r)
	}
	if q := f.logs[1]; !q.Raw || q.Last != 5 || q.Since.IsZero() || q.Stream != "" {
		t.Errorf("asked for %+v", q)
	}
	if r := invoke("logs"); r.stdout != "api.1  | one\napi.1  |   two\napi.2  | \xff\n" {
		t.Errorf("%q", r.stdout)
	}
}

func TestFollowFlagDoesNotNameAFileBehindTheCommand(t *testing.T) {
	dir := runDir(t)
	f := &fakeHost{status: orders()}
	serve(t, f, "orders-01", filepath.Join(dir, "one.yaml"))
	serve(t, &fakeHost{}, "other", filepath.Join(dir, "two.yaml"))
	for _, args := range [][]string{{"-f", "one.yaml", "logs", "-f", "api"}, {"logs", "--file", "one.yaml", "-f", "api"}, {"logs", "-f", "api", "--file=one.yaml"}} {
		if r := invoke(args...); r.code != 0 {
			t.Errorf("%v: %+v", args, r)
			continue
		}
		if q := f.logs[len(f.logs)-1]; !q.Follow || !slices.Equal(q.Services, []string{"api"}) {
			t.Errorf("%v asked for %+v", args, q)
		}
	}
}

func TestEventsAsTextAndJSON(t *testing.T) {
	runDir(t)
	at := time.Date(2026, 3, 1, 12, 0, 0, 0, time.Local)
	f := &fakeHost{status: orders(), events: []journal.Event{
		{Seq: 1, Time: at, Kind: journal.HostStarted, PID: 7, Reason: "version 1"},
		{Seq: 2, Time: at, Kind: journal.StateChanged, Service: "api", ID: "api.1", From: "running", To: "backoff", Reason: "exit 3\x1b[2J after 1s"},
		{Seq: 3, Time: at, Kind: journal.OperatorAction, Service: "api", ID: "api.1", Reason: "stop", Actor: `ops\li.wei`},
		{Seq: 4, Time: at, Kind: journal.ProcessExited, ID: "api.1", PID: 9, Exit: &journal.Exit{Code: 3, Text: "exit 3 after 1s"}},
	}}
	serve(t, f, "orders-01", "services.yaml")
	want := "2026-03-01 12:00:00  host              host started (pid 7): version 1\n" +
		"2026-03-01 12:00:00  api.1             running → backoff: exit 3[2J after 1s\n" +
		"2026-03-01 12:00:00  api.1             stop (ops\\li.wei)\n" +
		"2026-03-01 12:00:00  api.1             exit 3 after 1s (pid 9)\n"
	if r := invoke("events"); r.code != 0 || r.stdout != want {
		t.Errorf("exit %d\n%s\nwant\n%s", r.code, r.stdout, want)
	}
	r := invoke("events", "-o", "json", "--service", "api", "--since", "2h", "-f")
	rows := strings.Split(strings.TrimSpace(r.stdout), "\n")
	var e journal.Event
	if len(rows) != 4 || json.Unmarshal([]byte(rows[1]), &e) != nil || e.Seq != 2 {
		t.Errorf("%+v", r)
	}
	if q := f.journal[0]; q.Last != 100 || !q.Since.IsZero() || q.Kinds != nil {
		t.Errorf("asked for %+v", q)
	}
	if r := invoke("events", "--kind", "start-failed", "--kind", "exited", "--since", "2h", "--until", "1h"); r.code != 0 {
		t.Errorf("%+v", r)
	}
	if q := f.journal[2]; !slices.Equal(q.Kinds, []journal.Kind{journal.StartFailed, journal.ProcessExited}) || q.Until.Sub(q.Since) < 59*time.Minute {
		t.Errorf("asked for %+v", q)
	}
	if r := invoke("events", "-f", "-n", "0"); r.code != 0 || f.journal[len(f.journal)-1].Last != -1 {
		t.Errorf("%+v, asked for %+v", r, f.journal[len(f.journal)-1])
	}
	for line, want := range map[string]string{
		"--kind exitd":             `did you mean "exited"?`,
		"--kind zzzzzzzzzzz":       "docs/events.md lists them",
		"--since 1h --until 2h":    "nothing lies between",
		"-n 6 -f services.yaml":    "a file is named with --file services.yaml; behind logs and events, -f means to follow",
		"--service bach":           `did you mean "batch"?`,
		"-o json -f conf/all.yaml": "--file conf/all.yaml",
	} {
		f.events = nil
		if r := invoke(append([]string{"events"}, strings.Fields(line)...)...); r.code != 1 || !strings.Contains(strings.ReplaceAll(r.stderr, `\"`, `"`), want) {
			t.Errorf("%s: %+v", line, r)
		}
	}
	if q := f.journal[1]; q.Last != 0 || time.Since(q.Since) < 2*time.Hour || !q.Follow || !slices.Equal(q.Services, []string{"api"}) {
		t.Errorf("asked for %+v", q)
	}
}

func TestWhyExplainsEachInstance(t *testing.T) {
	runDir(t)
	at := time.Now().Add(-time.Minute)
	f := &fakeHost{status: orders(), events: []journal.Event{
		{Seq: 1, Time: at, Kind: journal.HostStarted, Reason: "version 1"},
		{Seq: 2, Time: at, Kind: journal.StateChanged, Service: "api", Instance: 1, ID: "api.1", To: "running", Reason: "started"},
		{Seq: 3, Time: at, Kind: journal.StateChanged, Service: "api", Instance: 3, ID: "api.3", To: "stopped", Reason: "removed"},
	}}
	serve(t, f, "orders-01", "services.yaml")
	r := invoke("why", "api")
	if r.code != 0 || !strings.Contains(r.stdout, "api.1\n  running for 1m: started\n") || !strings.Contains(r.stdout, "api.2\n  running; the journal") || strings.Contains(r.stdout, "api.3") {
		t.Errorf("%+v", r)
	}
	var all []explanation
	if r := invoke("why", "api.1", "-o", "json"); r.code != 0 || json.Unmarshal([]byte(r.stdout), &all) != nil || len(all) != 1 || len(all[0].Why) == 0 {
		t.Errorf("%+v", r)
	}
	f.status.Services[0].StatusText = "loading index"
	if r := invoke("why", "api.1"); !strings.Contains(r.stdout, "started\n  now: it says: loading index\n") {
		t.Errorf("%+v", r)
	}
	if r := invoke("why", "nobody"); r.code != 1 || !strings.Contains(r.stderr, `no service "nobody"`) {
		t.Errorf("%+v", r)
	}
}

func TestWithoutAHostTheDiskIsRead(t *testing.T) {
	dir := runDir(t)
	if err := os.WriteFile("services.yaml", []byte("services:\n  api:\n    command: [\"x\"]\n  web:\n    command: [\"x\"]\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	loaded := spec.Load(spec.Options{Files: []string{filepath.Join(dir, "services.yaml")}})
	if loaded.Spec == nil {
		t.Fatal(loaded.Problems)
	}
	for _, s := range loaded.Spec.Services {
		if err := os.MkdirAll(filepath.Dir(s.Log.Path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(s.Log.Path, []byte("first of "+s.ID+"\nlast of "+s.ID+"\n"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	j, err := journal.Open(filepath.Join(loaded.Spec.Host.StateDir, "journal"), journal.Options{})
	if err != nil {
		t.Fatal(err)
	}
	j.Append(journal.Event{Kind: journal.StateChanged, Service: "api", Instance: 1, ID: "api", From: "running", To: "failed", Reason: "exit 3"})
	if err := j.Close(); err != nil {
		t.Fatal(err)
	}
	if r := invoke("logs", "-n", "1"); r.code != 0 || r.stdout != "api | last of api\nweb | last of web\n" {
		t.Errorf("%+v", r)
	}
	if r := invoke("logs", "web", "--grep", "fir"); r.code != 0 || r.stdout != "first of web\n" {
		t.Errorf("%+v", r)
	}
	if r := invoke("logs", "wob"); r.code != 1 || !strings.Contains(r.stderr, `no service "wob"`) {
		t.Errorf("%+v", r)
	}
	if r := invoke("events"); r.code != 0 || !strings.Contains(r.stdout, "running → failed: exit 3") {
		t.Errorf("%+v", r)
	}
	if r := invoke("why", "api"); r.code != 0 || !strings.Contains(r.stdout, "failed for") {
		t.Errorf("%+v", r)
	}
	if r := invoke("why", "nobody"); r.code != 1 || !strings.Contains(r.stderr, "nothing is known") {
		t.Errorf("%+v", r)
	}
	if r := invoke("events", "-f"); r.code != 4 {
		t.Errorf("%+v", r)
	}
	if r := invoke("events", "WEB"); r.code != 0 || r.stdout != "" {
		t.Errorf("%+v", r)
	}
	if r := invoke("events", "ap"); r.code != 1 || !strings.Contains(r.stderr, `did you mean "api"?`) {
		t.Errorf("%+v", r)
	}
	if r := invoke("logs", "-f", "services.yaml"); r.code != 1 || !strings.Contains(r.stderr, "--file services.yaml") {
		t.Errorf("%+v", r)
	}
	// A broken spec still says where the journal is, though not where the logs are.
	if err := os.WriteFile("services.yaml", []byte("services: [\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if r := invoke("events"); r.code != 0 || !strings.Contains(r.stdout, "exit 3") {
		t.Errorf("%+v", r)
	}
	if r := invoke("logs"); r.code != 4 || !strings.Contains(r.stderr, "hint: host validate shows them") {
		t.Errorf("%+v", r)
	}
}

func TestValidateShowsAllProblems(t *testing.T) {
	runDir(t)
	if r := invoke("validate"); r.code != 1 || !strings.Contains(r.stderr, "no services.yaml found") || !strings.Contains(r.stderr, "hint: name the file with -f FILE") {
		t.Errorf("%+v", r)
	}
	if err := os.WriteFile("services.yaml", []byte("services:\n  api: {command: [x], instances: 2}\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if r := invoke("validate"); r.code != 0 || r.stdout != "services.yaml is valid: 1 service, 2 instances\n" {
		t.Errorf("%+v", r)
	}
	if err := os.WriteFile("bad.yaml", []byte("services:\n  api:\n    command: [x]\n    comand: y\n    restart: {dleay: 1s}\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	r := invoke("validate", "-f", "bad.yaml")
	if rows := strings.Split(strings.TrimSpace(r.stdout), "\n"); r.code != 1 || len(rows) != 2 || !strings.HasPrefix(rows[0], "bad.yaml:4:5: services.api.comand: ") ||
		!strings.HasPrefix(rows[1], "bad.yaml:5:15: services.api.restart.dleay: ") {
		t.Errorf("%+v", r)
	}
	r = invoke("validate", "--format", "github", "bad.yaml")
	if rows := strings.Split(strings.TrimSpace(r.stdout), "\n"); r.code != 1 || len(rows) != 2 || !strings.HasPrefix(rows[0], "::error file=bad.yaml,line=4,col=5::services.api.comand: ") {
		t.Errorf("%+v", r)
	}
	r = invoke("-f", "bad.yaml", "validate", "-o", "json")
	var v validation
	if err := json.Unmarshal([]byte(r.stdout), &v); err != nil || r.code != 1 || v.Valid || len(v.Problems) != 2 || v.Warnings == nil {
		t.Errorf("%+v, %v", r, err)
	}
}

func TestSchemaCompletionAndVersion(t *testing.T) {
	if r := invoke("schema"); r.code != 0 || !json.Valid([]byte(r.stdout)) {
		t.Errorf("%+v", r)
	}
	for shell, words := range map[string]string{"bash": "__start_host", "zsh": "#compdef host", "fish": "complete -c host", "powershell": "Register-ArgumentCompleter"} {
		if r := invoke("completion", shell); r.code != 0 || !strings.Contains(r.stdout, words) {
			t.Errorf("%s: exit %d, %s", shell, r.code, r.stderr)
		}
	}
	if r := invoke("version"); r.code != 0 || !strings.HasPrefix(r.stdout, "host 1.2.3 (") {
		t.Errorf("%+v", r)
	}
	var b build
	if r := invoke("version", "-o", "json"); r.code != 0 || json.Unmarshal([]byte(r.stdout), &b) != nil || b.Version != "1.2.3" || b.Go == "" {
		t.Errorf("%+v", r)
	}
}

func TestCompletionOffersServices(t *testing.T) {
	runDir(t)
	serve(t, &fakeHost{status: orders()}, "orders-01", "services.yaml")
	if r := invoke("__complete", "stop", ""); r.code != 0 || !strings.HasPrefix(r.stdout, "api\napi.1\napi.2\nbatch\n") {
		t.Errorf("%+v", r)
	}
}

func TestOnlyTheCommandThatIsAskedForIsMade(t *testing.T) {
	for want, lines := range map[string][]string{
		"status":  {"status", "-f a.yaml status api", "--file=a.yaml status", "--name x -o json --no-color status --watch", "--set a=b --profile p status"},
		"a.yaml":  {"a.yaml status", "-f b.yaml a.yaml"},
		"run-now": {"run-now", "-f run run-now"},
		"":        {"", "-f", "--help status", "-fa.yaml status", "-- status", "--bad status", "-h"},
	} {
		for _, line := range lines {
			if got := asked(strings.Fields(line)); got != want {
				t.Errorf("host %s asks for %q, want %q", line, got, want)
			}
		}
	}
	a := &app{now: time.Now}
	all := a.commands("")
	for _, c := range all {
		if one := a.commands(c.Name()); len(one) != 1 || one[0].Name() != c.Name() {
			t.Errorf("%q makes %d commands", c.Name(), len(one))
		}
	}
	if got := len(a.commands("statsu")); got != len(all) {
		t.Errorf("an unknown name makes %d commands of %d: which one is near is not known then", got, len(all))
	}
}
