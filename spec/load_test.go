package spec

import (
	"encoding/json"
	"maps"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"
)

// files writes files into a new folder and returns it.
func files(t testing.TB, content map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	for name, text := range content {
		path := filepath.Join(dir, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// loadText loads one text as services.yaml for Linux, with nothing in the environment.
func loadText(t testing.TB, text string, change ...func(*Options)) Result {
	t.Helper()
	dir := files(t, map[string]string{"services.yaml": text})
	o := Options{Files: []string{filepath.Join(dir, "services.yaml")}, Platform: "linux", LookupEnv: noEnv}
	for _, c := range change {
		c(&o)
	}
	return Load(o)
}

// mustLoad is loadText for a text without a problem.
func mustLoad(t testing.TB, text string, change ...func(*Options)) *Spec {
	t.Helper()
	r := loadText(t, text, change...)
	if r.Spec == nil {
		t.Fatalf("problems:\n%s", r.Problems.Error())
	}
	return r.Spec
}

// refused loads a text and expects a problem that contains all the words.
func refused(t testing.TB, r Result, want ...string) {
	t.Helper()
	if r.Spec != nil {
		t.Fatalf("accepted; wanted a problem with %q", want)
	}
	for _, w := range want {
		if !strings.Contains(r.Problems.Error(), w) {
			t.Errorf("no problem has %q:\n%s", w, r.Problems.Error())
		}
	}
}

func on(platform string) func(*Options) { return func(o *Options) { o.Platform = platform } }

func service(t testing.TB, s *Spec, id string) *Service {
	t.Helper()
	for _, svc := range s.Services {
		if svc.ID == id {
			return svc
		}
	}
	t.Fatalf("no service %q", id)
	return nil
}

// TestDesignExampleLoads takes what this version has of the example of the design.
func TestDesignExampleLoads(t *testing.T) {
	s := mustLoad(t, `
version: 1
host:
  name: orders-01
  shutdown_timeout: 60s
  reload: {mode: auto, quiet: 300ms, max_removed: 50%, max_restarted: 100%}
  restarts: {rate: 5/s, burst: auto}
  log: {level: info, format: auto, path: auto, max_size: 10MiB, max_files: 5}
  event_log: false
  control: {group: ops}
  logs: {dir: auto}
  state_dir: auto
vars: {ROOT: '/srv/apps'}
env: {TZ: UTC}
defaults: {restart: on-failure}
services:
  db: {command: db, restart: always}
  api:
    description: Orders API
    command: ${ROOT}/api/api.exe
    args: [--config, api.toml]
    dir: ${ROOT}/api
    env: {LOG_LEVEL: info}
    instances: 2
    port: 8080
    depends_on:
      db: {condition: started, restart: false, required: true}
    restart: {policy: always, delay: 1s, factor: 2, max_delay: 1m, jitter: 0.1, reset_after: 30s, limit: 10, window: 10m, retry_after: 10m}
    success_exit_codes: [0]
    stop: {steps: [ctrl_c, {close: 5s}], delay: 0s, timeout: 30s}
    on_change: restart
    log: {path: 'logs/api.${HOST_INSTANCE}.log', max_size: 50MiB, max_files: 10, max_age: 7d, compress: gzip, format: raw, ansi: keep, rate: 0}
    max_runtime: 0s
    track: main
    session: service
    profiles: []
    enabled: true
`)
	api := service(t, s, "api.2")
	value := func(s string) *string { return &s }
	want := &Service{
		Name: "api", Instance: 2, ID: "api.2", Hash: api.Hash, Description: "Orders API", Type: TypeService, Enabled: true,
		Profiles: []string{}, Instances: 2, Command: []string{"/srv/apps/api/api.exe", "--config", "api.toml"},
		Dir: "/srv/apps/api", InheritEnv: true, Env: map[string]*string{"TZ": value("UTC"), "LOG_LEVEL": value("info")},
		Update: defaultUpdate, Schedule: Schedule{Overlap: OverlapSkip}, Port: 8081, DependsOn: map[string]Dependency{"db": {Condition: ConditionStarted, Required: true}},
		Restart:          Restart{RestartAlways, time.Second, 2, time.Minute, 0.1, 30 * time.Second, 10, 10 * time.Minute, 10 * time.Minute},
		SuccessExitCodes: []int{0},
		Stop:             Stop{Steps: []Step{{Do: "SIGINT"}, {Do: "SIGTERM", Timeout: 5 * time.Second}}, Timeout: 30 * time.Second},
		Log:              Log{Path: s.Dir + "/logs/api.2.log", MaxSize: 50 << 20, MaxFiles: 10, MaxAge: 7 * 24 * time.Hour, Compress: CompressGzip},
		Track:            TrackMain,
	}
	if !reflect.DeepEqual(api, want) {
		t.Errorf("got  %+v\nwant %+v", api, want)
	}
	wantHost := Host{
		Name: "orders-01", ShutdownTimeout: time.Minute, Reload: Reload{ReloadAuto, 300 * time.Millisecond, 50, 100},
		Restarts: Restarts{5, 30}, Log: HostLog{Level: "info", Format: "auto", MaxSize: 10 << 20, MaxFiles: 5},
		Control: Control{"ops"}, Logs: LogsDir{Dir: s.Dir + "/.host/logs", MaxTotal: AutoSize, MinFree: AutoSize}, StateDir: s.Dir + "/.host",
		EventLog: "false",
	}
	if !reflect.DeepEqual(s.Host, wantHost) {
		t.Errorf("got  %+v\nwant %+v", s.Host, wantHost)
	}
}

// TestBuiltinValuesAreThoseOfTheDesign loads services that say nothing.
func TestBuiltinValuesAreThoseOfTheDesign(t *testing.T) {
	s := mustLoad(t, "services: {a: {command: run}, once: {command: [x, y z], type: oneshot}}")
	a := service(t, s, "a")
	if a.Restart.Policy != RestartAlways || a.Dir != s.Dir || a.Log.Path != s.Dir+"/.host/logs/a.log" || !slices.Equal(a.Stop.Steps, []Step{{Do: "SIGTERM"}}) {
		t.Errorf("%+v", a)
	}
	if a.CommandDir != s.Dir || a.DependsOn != nil || a.Env != nil {
		t.Errorf("%+v", a)
	}
	if once := service(t, s, "once"); once.Restart.Policy != RestartNo || !slices.Equal(once.Command, []string{"x", "y z"}) {
		t.Errorf("%+v", once)
	}
	w := mustLoad(t, "services: {a: {command: run}}", on("windows"))
	if steps := w.Services[0].Stop.Steps; !slices.Equal(steps, []Step{{Do: "ctrl_c"}, {Do: "close"}}) {
		t.Errorf("on Windows: %v", steps)
	}
	if mustLoad(t, "services: {}").Services != nil {
		t.Error("services out of nothing")
	}
}

func TestDefaultsReachServicesByType(t *testing.T) {
	s := mustLoad(t, `
defaults:
  restart: {policy: on_failure, delay: 3s}
  env: {A: '1', B: '2'}
  depends_on: [db]
  log: {max_files: 3}
  stop: {timeout: 5s}
services:
  db: {command: db, restart: 'no'}
  web: {command: web, restart: {limit: 2}, env: {B: null, C: '3'}, log: {max_size: 1MiB}, stop: {timeout: }}
  job: {command: job, type: oneshot}
  job2: {command: job, type: oneshot, restart: on-failure, depends_on: {web: }}
`)
	web := service(t, s, "web")
	if web.Restart.Policy != RestartOnFailure || web.Restart.Delay != 3*time.Second || web.Restart.Limit != 2 {
		t.Errorf("restart of web: %+v", web.Restart)
	}
	if web.Log.MaxFiles != 3 || web.Log.MaxSize != 1<<20 {
		t.Errorf("log of web: %+v", web.Log)
	}
	if web.Stop.Timeout != 30*time.Second {
		t.Errorf("a null goes back to the built-in value, got %v", web.Stop.Timeout)
	}
	if b, ok := web.Env["B"]; !ok || b != nil || *web.Env["A"] != "1" || *web.Env["C"] != "3" {
		t.Errorf("env of web: %v", web.Env)
	}
	if db := service(t, s, "db"); db.Restart.Policy != RestartNo || len(db.DependsOn) != 0 {
		t.Errorf("db: %+v", db)
	}
	if job := service(t, s, "job"); job.Restart.Policy != RestartNo || job.Restart.Delay != 3*time.Second {
		t.Errorf("restart of job: %+v", job.Restart)
	}
	job2 := service(t, s, "job2")
	if job2.Restart.Policy != RestartOnFailure || len(job2.DependsOn) != 2 {
		t.Errorf("job2: %+v", job2)
	}
}

func TestRestartNoArrivesAsFalse(t *testing.T) {
	for _, v := range []string{"no", "'no'", "false", "{policy: no}", "{policy: false}", "NO"} {
		if s := mustLoad(t, "services: {a: {command: x, restart: "+v+"}}"); s.Services[0].Restart.Policy != RestartNo {
			t.Errorf("%s gives %q", v, s.Services[0].Restart.Policy)
		}
	}
}

func TestMaxDelayFollowsALongDelay(t *testing.T) {
	s := mustLoad(t, "services: {a: {command: x, restart: {delay: 5m}}}")
	if r := s.Services[0].Restart; r.MaxDelay != 5*time.Minute {
		t.Errorf("max_delay is %v", r.MaxDelay)
	}
}

func TestStopStepsAreMappedToThePlatform(t *testing.T) {
	const text = `services: {a: {command: x, stop: {steps: [ctrl_c, ctrl-break, close, SIGHUP, term, sigint, stdin_close, {SIGQUIT: 3s}, {exec: [./x, '${HOST_SERVICE}'], timeout: 4s, ignore_failure: true}, {http: 'post http://127.0.0.1:1/stop'}]}}}`
	names := func(s *Spec) (out []string) {
		for _, step := range s.Services[0].Stop.Steps {
			out = append(out, step.Do)
		}
		return out
	}
	unix := mustLoad(t, text)
	if got := strings.Join(names(unix), " "); got != "SIGINT SIGQUIT SIGTERM SIGHUP SIGTERM SIGINT stdin_close SIGQUIT action action" {
		t.Errorf("Unix: %s", got)
	}
	windows := mustLoad(t, text, on("windows"))
	if got := strings.Join(names(windows), " "); got != "ctrl_c ctrl_break close close ctrl_c ctrl_c stdin_close ctrl_break action action" {
		t.Errorf("Windows: %s", got)
	}
	steps := unix.Services[0].Stop.Steps
	if a := steps[8]; a.Timeout != 4*time.Second || !a.Action.IgnoreFailure || a.Action.Exec[0] != unix.Dir+"/x" || a.Action.Exec[1] != "a" {
		t.Errorf("%+v", a.Action)
	}
	if a := steps[9].Action; a.HTTP != "POST http://127.0.0.1:1/stop" || a.Timeout != defaultActionTimeout {
		t.Errorf("%+v", a)
	}
	if steps[7].Timeout != 3*time.Second {
		t.Errorf("%+v", steps[7])
	}
}

func TestExitCodesOfWindowsAreUnsigned(t *testing.T) {
	s := mustLoad(t, "services: {a: {command: x, success_exit_codes: [0xC0000005, -1073741819, 0, 3]}}", on("windows"))
	if got := s.Services[0].SuccessExitCodes; !slices.Equal(got, []int{0, 3, 0xC0000005}) {
		t.Errorf("%v", got)
	}
}

func TestPortAutoLeavesAPlaceholder(t *testing.T) {
	s := mustLoad(t, "services: {a: {command: 'run --port ${PORT}', port: auto, instances: 2, env: {P: 'x${PORT}'}, stop: {steps: [{http: 'POST http://127.0.0.1:${PORT}/stop'}]}}}")
	for _, a := range s.Services {
		if a.Port != PortAuto || a.Command[2] != AutoPort || *a.Env["P"] != "x"+AutoPort || !strings.Contains(a.Stop.Steps[0].Action.HTTP, AutoPort) {
			t.Errorf("%+v", a)
		}
	}
}

func TestInstancesHaveTheirOwnVariables(t *testing.T) {
	s := mustLoad(t, "services: {a: {command: 'run ${HOST_INSTANCE} ${PORT} ${HOST_SERVICE}', port: '${BASE:-90}00', instances: '${N:-3}'}}")
	if len(s.Services) != 3 {
		t.Fatalf("%d instances", len(s.Services))
	}
	if got := strings.Join(s.Services[2].Command, " "); got != "run 3 9002 a" || s.Services[2].Port != 9002 {
		t.Errorf("%s, port %d", got, s.Services[2].Port)
	}
	if s.Services[0].Hash == s.Services[1].Hash {
		t.Error("instances with other arguments have one hash")
	}
}

// TestScalingLeavesTheFirstInstanceAlone: 1 → 2 must restart nothing; only the name of the log follows the id.
func TestScalingLeavesTheFirstInstanceAlone(t *testing.T) {
	one := mustLoad(t, "host: {state_dir: /s}\nservices: {a: {command: /x, dir: /, log: {path: '/l/${HOST_INSTANCE}'}}}").Services[0]
	two := mustLoad(t, "host: {state_dir: /s}\nservices: {a: {command: /x, dir: /, instances: 2, log: {path: '/l/${HOST_INSTANCE}'}}}").Services[0]
	if one.Hash != two.Hash || one.Name != two.Name || one.Instance != two.Instance {
		t.Errorf("%+v\n%+v", one, two)
	}
}

func TestProfilesChooseServices(t *testing.T) {
	const text = "services: {a: {command: a}, p: {command: '${SECRET:?set it}', env_file: [missing.env], profiles: [prod]}}"
	if s := mustLoad(t, text); len(s.Services) != 1 {
		t.Errorf("%d services", len(s.Services))
	}
	prod := func(o *Options) { o.Profiles = []string{"prod"} }
	refused(t, loadText(t, text, prod), "set it", `"missing.env" does not exist`)
	// A fault of the file itself is one in any profile.
	refused(t, loadText(t, "services: {p: {comand: x, profiles: [prod]}}"), "unknown key")
}

func TestUnmetDependenciesAreLeftOutWhenNotRequired(t *testing.T) {
	s := mustLoad(t, `
services:
  a: {command: a, depends_on: {off: {required: false}, p: {required: no}, b: {condition: completed}}}
  b: {command: b, type: oneshot}
  off: {command: c, enabled: false}
  p: {command: p, profiles: [x]}
`)
	if got := slices.Collect(maps.Keys(service(t, s, "a").DependsOn)); !slices.Equal(got, []string{"b"}) {
		t.Errorf("%v", got)
	}
	if service(t, s, "off").Enabled {
		t.Error("off is enabled")
	}
}

func TestAnchorsAndMergeKeysWork(t *testing.T) {
	s := mustLoad(t, `
x-base: &base
  env: &env {A: '1'}
  restart: {delay: 2s}
x-more: &more {dir: /more, description: more}
services:
  a:
    <<: [*base, *more]
    command: &cmd run
    description: own
  b: {command: *cmd, env: {<<: *env, B: '2'}}
`)
	a, b := service(t, s, "a"), service(t, s, "b")
	if a.Dir != "/more" || a.Description != "own" || a.Restart.Delay != 2*time.Second || *a.Env["A"] != "1" {
		t.Errorf("%+v", a)
	}
	if b.Command[0] != "run" || len(b.Env) != 2 {
		t.Errorf("%+v", b)
	}
}

// TestSpecSurvivesJSON: the last good spec is kept on disk as JSON and must come back the same.
func TestSpecSurvivesJSON(t *testing.T) {
	s := mustLoad(t, `
host: {name: x, restarts: {rate: 100/h}}
env: {GONE: null, EMPTY: '', ODD: "\u2028 \U0001F600 <&>"}
services:
  a: {command: ['a b', '${PORT}'], port: auto, restart: {factor: 1.1, jitter: 0.3333333333}, success_exit_codes: [], stop: {steps: [{exec: [x]}]}, profiles: []}
  b: {command: b, depends_on: [a], instances: 3}
`)
	data, err := json.Marshal(s)
	if err != nil {
		t.Fatal(err)
	}
	var back Spec
	if err := json.Unmarshal(data, &back); err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(s, &back) {
		t.Errorf("got  %+v\nwant %+v", &back, s)
	}
	if v, ok := back.Services[0].Env["GONE"]; !ok || v != nil {
		t.Error("a variable that is removed was lost")
	}
	c := &canonical{}
	was := back.Services[0].Hash
	if back.Services[0].setHash(c); back.Services[0].Hash != was || hashOf(&back) != s.Hash {
		t.Error("the hash of what came back is another")
	}
}

func TestManagedHostsUseTheSystemsPlaces(t *testing.T) {
	managed := func(platform string) *Spec {
		return mustLoad(t, "host: {name: n1}\nservices: {}", on(platform), func(o *Options) {
			o.Managed = true
			o.LookupEnv = func(name string) (string, bool) { return `D:\PD`, name == "ProgramData" }
		})
	}
	for platform, want := range map[string][3]string{
		"linux":   {"/var/lib/servicehost/n1", "/var/log/servicehost/n1", "/var/log/servicehost/n1/host.log"},
		"windows": {`D:\PD\servicehost\n1`, `D:\PD\servicehost\n1\logs`, `D:\PD\servicehost\n1\logs\host.log`},
		"darwin":  {"/Library/Application Support/servicehost/n1", "/Library/Application Support/servicehost/n1/logs", "/Library/Application Support/servicehost/n1/logs/host.log"},
	} {
		h := managed(platform).Host
		if got := [3]string{h.StateDir, h.Logs.Dir, h.Log.Path}; got != want {
			t.Errorf("%s: %q, want %q", platform, got, want)
		}
	}
}

// TestDefaultStateDirIsThatOfALoad: a host that can't read its files must look in the same place.
func TestDefaultStateDirIsThatOfALoad(t *testing.T) {
	dir := files(t, map[string]string{"services.yaml": "services: {}"})
	for _, managed := range []bool{false, true} {
		o := Options{Files: []string{filepath.Join(dir, "services.yaml")}, Managed: managed, LookupEnv: noEnv}
		got, err := DefaultStateDir(o)
		if want := Load(o).Spec.Host.StateDir; err != nil || got != want {
			t.Errorf("managed %v: %s, %v; want %s", managed, got, err, want)
		}
	}
	if _, err := DefaultStateDir(Options{}); err == nil {
		t.Error("a place without a file")
	}
}

func TestBurstFollowsTheNumberOfServices(t *testing.T) {
	if b := mustLoad(t, "services: {a: {command: x, instances: 20}}").Host.Restarts.Burst; b != 40 {
		t.Errorf("burst is %d", b)
	}
	if b := mustLoad(t, "host: {restarts: {burst: 7}}\nservices: {}").Host.Restarts.Burst; b != 7 {
		t.Errorf("burst is %d", b)
	}
}

func TestWarningsRefuseNothing(t *testing.T) {
	r := loadText(t, `
host: {shutdown_timeout: 20s}
services:
  a: {command: 'a && b', depends_on: [b]}
  b: {command: b, type: oneshot, restart: always, env: {HOST_NAME: x}, stop: {steps: [{SIGTERM: 40s}]}}
`)
	if r.Spec == nil {
		t.Fatal(r.Problems.Error())
	}
	for _, want := range []string{"stopping a → b may take 1m", "a oneshot service with this policy", "there is no shell", "HOST_NAME is set by the host itself", "take 40s in all"} {
		if !strings.Contains(r.Warnings.Error(), want) {
			t.Errorf("no warning has %q:\n%s", want, r.Warnings.Error())
		}
	}
}

func TestProblemNamesTheFileAsItWasGiven(t *testing.T) {
	dir := files(t, map[string]string{"conf/services.yaml": "include: [more/a.yaml]\nservices: {a: {comand: x}}", "conf/more/a.yaml": "services: {b: {comand: x}}"})
	t.Chdir(dir)
	r := Load(Options{Files: []string{"conf/services.yaml"}, LookupEnv: noEnv})
	got := []string{r.Problems[0].File, r.Problems[len(r.Problems)-1].File}
	if want := []string{"conf/services.yaml", filepath.Join("conf", "more", "a.yaml")}; !slices.Equal(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
	if !filepath.IsAbs(r.Inputs[0].Path) {
		t.Errorf("the input %q is not absolute", r.Inputs[0].Path)
	}
}

func TestProblemAlwaysHasItsFields(t *testing.T) {
	data, err := json.Marshal(Problem{File: "a.yaml"})
	if want := `{"file":"a.yaml","line":0,"column":0,"path":"","message":"","hint":""}`; err != nil || string(data) != want {
		t.Errorf("got %s, %v", data, err)
	}
}

func TestStderrMayShareTheFileOfStdout(t *testing.T) {
	const head = "host: {state_dir: /var/x}\nservices:\n  a:\n    command: a\n"
	for text, want := range map[string]string{
		"    log: {stderr: /var/x/logs/a.log}":                            "",
		"    log: {stderr: /var/x/logs/a.log, format: text}":              "/var/x/logs/a.log",
		"    log: {path: l.log, stderr: ./x/../l.log, format: json}":      "path",
		"    log: {path: l.log, stderr: e.log, format: json, rate: 60/m}": "other",
	} {
		log := mustLoad(t, head+text).Services[0].Log
		switch want {
		case "path":
			want = log.Path
		case "other":
			want = filepath.Dir(log.Path) + "/e.log" // as the checked platform writes it
		}
		if log.Stderr != want {
			t.Errorf("%s: stderr goes to %q, want %q", text, log.Stderr, want)
		}
	}
}
