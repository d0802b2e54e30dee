package reload

import (
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"servicehost/spec"
)

// service is one instance as a load would make it.
func service(name string, instance int, change ...func(*spec.Service)) *spec.Service {
	s := &spec.Service{
		Name: name, Instance: instance, ID: name, Type: spec.TypeService, Enabled: true, Instances: 1,
		Command: []string{name, "--config", name + ".toml"}, Dir: "/srv/" + name,
		Env:              map[string]*string{"LOG_LEVEL": new("info"), "GONE": nil},
		DependsOn:        map[string]spec.Dependency{"db": {Condition: spec.ConditionStarted, Required: true}},
		Restart:          spec.Restart{Policy: spec.RestartAlways, Delay: time.Second, Factor: 2, Jitter: 0.1},
		SuccessExitCodes: []int{0},
		Stop:             spec.Stop{Steps: []spec.Step{{Do: "SIGTERM"}}, Timeout: 30 * time.Second},
		Log:              spec.Log{Path: "/srv/logs/" + name + ".log", MaxSize: 50 << 20, MaxFiles: 10},
		Track:            spec.TrackMain,
	}
	for _, f := range change {
		f(s)
	}
	return s
}

func diff(old, next []*spec.Service) Plan {
	return Diff(old, &spec.Spec{}, &spec.Spec{Services: next})
}

func fieldsText(fields []Field) string {
	var b strings.Builder
	for _, f := range fields {
		fmt.Fprintf(&b, "%s (%s): %s -> %s\n", f.Path, f.Class, f.Old, f.New)
	}
	return strings.TrimSpace(b.String())
}

func TestEveryFieldHasAClassAndCanBeCompared(t *testing.T) {
	classes := []string{"none", "live", "scale", "restart", "next_start"}
	var walk func(typ reflect.Type, path string)
	walk = func(typ reflect.Type, path string) {
		for i := range typ.NumField() {
			f := typ.Field(i)
			name, class := path+"."+f.Name, f.Tag.Get("class")
			switch {
			case class == "-":
			case class == "" && f.Type.Kind() == reflect.Struct:
				walk(f.Type, name)
			case !slices.Contains(classes, class):
				t.Errorf("%s: class %q", name, class)
			}
			switch f.Type.Kind() {
			case reflect.Interface, reflect.Func, reflect.Chan:
				t.Errorf("%s: a %s cannot be compared", name, f.Type.Kind())
			}
		}
	}
	walk(reflect.TypeFor[spec.Service](), "Service")
	walk(reflect.TypeFor[spec.Host](), "Host")
}

// TestEveryChangedFieldIsSeen changes one field after the other by reflection: none may be missed.
func TestEveryChangedFieldIsSeen(t *testing.T) {
	for _, l := range serviceLeaves() {
		looked := func(s *spec.Service) { s.Binary.Content = "0123" }
		next := service("api", 1, looked)
		alter(t, reflect.ValueOf(next).Elem().FieldByIndex(l.index))
		p := diff([]*spec.Service{service("api", 1, looked)}, []*spec.Service{next})
		if len(p.Changes) != 1 || len(p.Changes[0].Fields) == 0 {
			t.Errorf("%s: not seen", l.path)
			continue
		}
		c := p.Changes[0]
		if !strings.HasPrefix(c.Fields[0].Path, l.path) || c.Fields[0].Class != l.class || c.Fields[0].Old == c.Fields[0].New {
			t.Errorf("%s: shown as %s", l.path, fieldsText(c.Fields))
		}
		want := ActionUpdate
		switch {
		case l.path == "enabled":
			want = ActionStop
		case l.class == "restart":
			want = ActionRestart
		}
		if c.Action != want {
			t.Errorf("%s: action %s, want %s", l.path, c.Action, want)
		}
	}
	for _, l := range hostLeaves() {
		next := &spec.Spec{}
		alter(t, reflect.ValueOf(&next.Host).Elem().FieldByIndex(l.index))
		p := Diff(nil, &spec.Spec{}, next)
		if len(p.Host) == 0 || !strings.HasPrefix(p.Host[0].Path, l.path) || p.Host[0].Class != l.class || p.Host[0].Old == p.Host[0].New {
			t.Errorf("host %s: shown as %s", l.path, fieldsText(p.Host))
		}
	}
}

// TestUnknownBinaryIsNoChange: a running service is not restarted because somebody begins to watch its files.
func TestUnknownBinaryIsNoChange(t *testing.T) {
	known := service("api", 1, func(s *spec.Service) { s.Binary.Content = "0123" })
	if NeedsRestart(service("api", 1), known) || NeedsRestart(known, service("api", 1)) {
		t.Error("content that was not looked at is a reason for a restart")
	}
	if p := diff([]*spec.Service{service("api", 1)}, []*spec.Service{known}); !p.Empty() {
		t.Errorf("%+v", p.Changes)
	}
}

func alter(t *testing.T, v reflect.Value) {
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
		n := reflect.New(v.Type().Elem()).Elem()
		alter(t, n)
		v.Set(reflect.Append(v, n))
	case reflect.Struct:
		alter(t, v.Field(0))
	case reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
	case reflect.Map:
		m := reflect.MakeMap(v.Type())
		n := reflect.New(v.Type().Elem()).Elem()
		alter(t, n)
		m.SetMapIndex(reflect.ValueOf("new"), n)
		v.Set(m)
	default:
		t.Fatalf("a field of kind %s", v.Kind())
	}
}

func TestDiffOfTheSameIsEmpty(t *testing.T) {
	a := []*spec.Service{service("api", 1), service("web", 1)}
	b := []*spec.Service{service("api", 1), service("web", 1)}
	b[0].Profiles = []string{}
	b[0].EnvFromFile = map[string]bool{}
	if p := diff(a, b); !p.Empty() {
		t.Errorf("%+v", p)
	}
}

func TestDiffActions(t *testing.T) {
	off := func(s *spec.Service) { s.Enabled = false }
	command := func(s *spec.Service) { s.Command = []string{s.Name, "other"} }
	delay := func(s *spec.Service) { s.Restart.Delay = 90 * time.Second }
	old := []*spec.Service{
		service("gone", 1), service("api", 1), service("web", 1), service("same", 1),
		service("wake", 1, off), service("sleep", 1), service("asleep", 1, off), service("both", 1),
	}
	next := []*spec.Service{
		service("api", 1, command), service("web", 1, delay), service("same", 1), service("new", 1), service("wake", 1, command),
		service("sleep", 1, off, command), service("asleep", 1, off, command), service("both", 1, delay, command),
	}
	var got []string
	for _, c := range diff(old, next).Changes {
		got = append(got, c.Action+" "+c.ID)
	}
	want := []string{"remove gone", "restart api", "update web", "add new", "start wake", "stop sleep", "update asleep", "restart both"}
	if !slices.Equal(got, want) {
		t.Errorf("got  %q\nwant %q", got, want)
	}
}

func TestDiffShowsValuesAsTheyAreWritten(t *testing.T) {
	next := service("api", 1, func(s *spec.Service) {
		s.Command = []string{"api", "--config", "my file.toml", "--port", spec.AutoPort}
		s.Port = spec.PortAuto
		s.Env = map[string]*string{"LOG_LEVEL": new("debug"), "NEW": new(""), "LINES": new("a\nb")}
		s.DependsOn = map[string]spec.Dependency{"mq": {Condition: spec.ConditionCompleted}}
		s.Restart.Delay = 90 * time.Second
		s.Restart.Window = 10 * time.Minute
		s.Restart.Factor = 1.5
		s.SuccessExitCodes = []int{0, 3}
		s.Stop.Steps = []spec.Step{{Do: "SIGINT", Timeout: 5 * time.Second}, {Do: "action", Action: &spec.Action{HTTP: "POST http://u:p@h/stop", Timeout: time.Second}}}
		s.Log.MaxSize = 10_000_000
		s.MaxRuntime = 48 * time.Hour
	})
	c := diff([]*spec.Service{service("api", 1)}, []*spec.Service{next}).Changes[0]
	got := fieldsText(c.Fields)
	hash := processRedactor().Hash("u:p")
	want := strings.Join([]string{
		`command (restart): api --config api.toml -> api --config "my file.toml" --port ${PORT}`,
		`env.GONE (restart): (removed) -> `,
		`env.LINES (restart):  -> a b`,
		`env.LOG_LEVEL (restart): info -> debug`,
		`env.NEW (restart):  -> ""`,
		`port (restart):  -> auto`,
		`depends_on.db (live): started -> `,
		`depends_on.mq (live):  -> completed, not required`,
		`restart.delay (live): 1s -> 1m30s`,
		`restart.factor (live): 2 -> 1.5`,
		`restart.window (live): 0s -> 10m`,
		`success_exit_codes (live): 0 -> 0, 3`,
		`stop.steps (live): SIGTERM -> SIGINT 5s, http POST http://` + hash + `@h/stop (timeout 1s)`,
		`log.max_size (live): 50MiB -> 10MB`,
		`max_runtime (live): 0s -> 2d`,
	}, "\n")
	if got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

func TestDiffShowsTheFolderOfACommandOnlyWhereNothingElseTells(t *testing.T) {
	in := func(dir, program string) *spec.Service {
		return service("api", 1, func(s *spec.Service) { s.CommandDir, s.Command = dir, []string{program} })
	}
	for _, tt := range []struct {
		next *spec.Service
		want string
	}{
		{in("", "/opt/api"), "command (restart): ./api -> /opt/api"},
		{in("/srv/new", "./api"), "command_dir (restart): /srv -> /srv/new"},
	} {
		p := diff([]*spec.Service{in("/srv", "./api")}, []*spec.Service{tt.next})
		if len(p.Changes) != 1 || fieldsText(p.Changes[0].Fields) != tt.want {
			t.Errorf("%+v, want %q", p.Changes, tt.want)
		}
	}
}

func TestDiffShowsACommandWithQuotesAsAList(t *testing.T) {
	next := service("api", 1, func(s *spec.Service) { s.Command = []string{"sh", "-c", `trap "echo it's" HUP`, ""} })
	c := diff([]*spec.Service{service("api", 1, func(s *spec.Service) { s.Command = []string{"sh"} })}, []*spec.Service{next}).Changes[0]
	if want := `[sh, -c, 'trap "echo it''s" HUP', '']`; c.Fields[0].Path != "command" || c.Fields[0].New != want {
		t.Errorf("got %+v, want %s", c.Fields[0], want)
	}
}

func TestDiffOfWhatAProcessIsToldIsNoRestart(t *testing.T) {
	one, two, own := "1", "2", map[string]bool{"LEVEL": true}
	base := spec.Service{Name: "api", Instance: 1, ID: "api", Enabled: true, Config: "a", Env: map[string]*string{"LEVEL": &one}, EnvFromFile: own, OnChange: &spec.OnChange{Signal: "SIGHUP"}}
	told := base
	told.Config, told.Env = "b", map[string]*string{"LEVEL": &two}
	c, changed := processRedactor().compare(&base, &told)
	if !changed || c.Action != ActionUpdate || len(c.Fields) != 2 || c.Fields[0].Class != "live" || c.Fields[1].Class != "live" || !Told(&base, &told) {
		t.Errorf("%+v", c)
	}
	told.OnChange = nil
	if c, _ := processRedactor().compare(&base, &told); c.Action != ActionRestart || Told(&base, &told) {
		t.Errorf("%+v", c)
	}
	more := base
	more.Config, more.Command = "b", []string{"other"}
	if c, _ := processRedactor().compare(&base, &more); c.Action != ActionRestart {
		t.Errorf("%+v", c)
	}
}

func TestDiffOfHostFields(t *testing.T) {
	old := spec.Host{Reload: spec.Reload{MaxRemoved: 50}, Restarts: spec.Restarts{Rate: 5}, Log: spec.HostLog{MaxSize: 10 << 20}, ShutdownTimeout: time.Minute}
	next := old
	next.Reload.MaxRemoved, next.Restarts.Rate, next.Log.MaxSize, next.ShutdownTimeout, next.Name = 30, 2.5, 1<<30, time.Hour, "orders-01"
	p := Diff(nil, &spec.Spec{Host: old}, &spec.Spec{Host: next})
	want := "name (next_start):  -> orders-01\nshutdown_timeout (live): 1m -> 1h\nreload.max_removed (live): 50% -> 30%\n" +
		"restarts.rate (live): 5/s -> 2.5/s\nlog.max_size (next_start): 10MiB -> 1GiB"
	if got := fieldsText(p.Host); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

func TestDiffScalingLeavesTheFirstInstanceAlone(t *testing.T) {
	scaled := func(i int) *spec.Service {
		return service("api", i, func(s *spec.Service) {
			s.Instances, s.ID, s.Log.Path = 2, fmt.Sprint("api.", i), fmt.Sprintf("/srv/logs/api.%d.log", i)
		})
	}
	p := diff([]*spec.Service{service("api", 1)}, []*spec.Service{scaled(1), scaled(2)})
	if len(p.Changes) != 2 || p.Changes[0].Action != ActionUpdate || p.Changes[0].ID != "api.1" || p.Changes[1].Action != ActionAdd {
		t.Fatalf("%+v", p.Changes)
	}
	if got := fieldsText(p.Changes[0].Fields); !strings.HasPrefix(got, "instances (scale): 1 -> 2\nlog.path (live): ") {
		t.Errorf("got\n%s", got)
	}
	p = diff([]*spec.Service{scaled(1), scaled(2)}, []*spec.Service{service("api", 1)})
	if len(p.Changes) != 2 || p.Changes[0].Action != ActionRemove || p.Changes[0].ID != "api.2" || p.Changes[1].Action != ActionUpdate {
		t.Errorf("%+v", p.Changes)
	}
}

func TestDiffOfLongValuesShowsThePlace(t *testing.T) {
	long := strings.Repeat("argument ", 100)
	a := service("api", 1, func(s *spec.Service) { s.RawArgs = long + "one" })
	b := service("api", 1, func(s *spec.Service) { s.RawArgs = long + "two" })
	f := diff([]*spec.Service{a}, []*spec.Service{b}).Changes[0].Fields[0]
	if !strings.HasSuffix(f.Old, "one") || !strings.HasSuffix(f.New, "two") || len(f.Old) > 2*clipMost || !strings.HasPrefix(f.Old, "…") {
		t.Errorf("%q -> %q", f.Old, f.New)
	}
}

func TestGuardHoldsMassRemoval(t *testing.T) {
	all := func(n int, change ...func(*spec.Service)) []*spec.Service {
		var s []*spec.Service
		for i := range n {
			s = append(s, service(fmt.Sprint("s", i), 1, change...))
		}
		return s
	}
	command := func(s *spec.Service) { s.Command = []string{"other"} }
	off := func(s *spec.Service) { s.Enabled = false }
	r := spec.Reload{MaxRemoved: 50, MaxRestarted: 100}
	for _, c := range []struct {
		name      string
		old, next []*spec.Service
		r         spec.Reload
		running   int
		want      string
	}{
		{"five of six", all(6), all(1), r, 6, "the edit would stop 5 of 6 running services, more than host.reload.max_removed (50%)"},
		{"exactly half", all(6), all(3), r, 6, ""},
		{"three run", all(3), nil, r, 3, ""},
		{"all of four", all(4), nil, r, 4, "the edit would stop 4 of 4 running services, more than host.reload.max_removed (50%)"},
		{"disabled", all(4), all(4, off), r, 4, "the edit would stop 4 of 4 running services, more than host.reload.max_removed (50%)"},
		{"not enabled before", all(4, off), nil, r, 4, ""},
		{"all restart", all(4), all(4, command), r, 4, ""},
		{"all restart, half may", all(4), all(4, command), spec.Reload{MaxRemoved: 50, MaxRestarted: 50}, 4,
			"the edit would restart 4 of 4 running services, more than host.reload.max_restarted (50%)"},
		{"none may", all(4), all(3), spec.Reload{}, 4, "the edit would stop 1 of 4 running services, more than host.reload.max_removed (0%)"},
		{"more removed than run", all(10), nil, r, 4, "the edit would stop 4 of 4 running services, more than host.reload.max_removed (50%)"},
	} {
		held, reason := diff(c.old, c.next).Guard(c.r, c.running)
		if held != (c.want != "") || reason != c.want {
			t.Errorf("%s: %v %q, want %q", c.name, held, reason, c.want)
		}
	}
	p := diff(all(10), all(5))
	held, _ := p.GuardRunning(r, 5, func(s *spec.Service) bool { return s.Name < "s5" })
	if held {
		t.Error("the removal of services that do not run is held")
	}
}

func BenchmarkDiff1000(b *testing.B) {
	var old, next []*spec.Service
	for i := range 1000 {
		old = append(old, service(fmt.Sprintf("s%03d", i), 1))
		next = append(next, service(fmt.Sprintf("s%03d", i), 1))
	}
	next[500].Command = []string{"other"}
	b.ReportAllocs()
	for b.Loop() {
		if p := diff(old, next); len(p.Changes) != 1 {
			b.Fatal(len(p.Changes))
		}
	}
}
