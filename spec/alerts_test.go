package spec

import (
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"
)

func TestNotifiersAreDecodedWithTheirDefaults(t *testing.T) {
	s := mustLoad(t, `{services: {api: {command: api}}, notify: [
		{webhook: "https://hooks.example.com/T0/B1?x=y"},
		{name: mail, smtp: {server: "smtp.example.com:587", from: "Host <h@example.com>", to: ops@example.com, user: h, password: {env: P}}, group: 0},
		{exec: [./tell, now], on: Failed, services: [api], timeout: 1m},
		{webhook: {file: hook}, template: DingTalk, secret: {env: S}, headers: {A: b}, x-team: ours}]}`)
	first := defaultNotifier
	first.Name, first.Webhook = "webhook.1", &WebhookURL{URL: "https://hooks.example.com/T0/B1?x=y"}
	mail := defaultNotifier
	mail.Name, mail.Group = "mail", 0
	mail.SMTP = &SMTP{Server: "smtp.example.com:587", From: "Host <h@example.com>", To: []string{"ops@example.com"}, User: "h", Password: &Secret{Env: "P"}, StartTLS: "auto"}
	tell := defaultNotifier
	tell.Name, tell.Exec, tell.On, tell.Services, tell.Timeout = "exec.3", []string{s.Dir + "/tell", "now"}, []AlertEvent{AlertFailed}, []string{"api"}, time.Minute
	ding := defaultNotifier
	ding.Name, ding.Webhook = "webhook.4", &WebhookURL{Secret: &Secret{File: s.Dir + "/hook"}}
	ding.Template, ding.Secret, ding.Headers = TemplateDingTalk, &Secret{Env: "S"}, map[string]string{"A": "b"}
	for i, want := range []Notifier{first, mail, tell, ding} {
		if !reflect.DeepEqual(s.Notify[i], want) {
			t.Errorf("got  %+v\nwant %+v", s.Notify[i], want)
		}
	}
}

func TestOneNotifierNeedsNoList(t *testing.T) {
	s := mustLoad(t, `{services: {a: {command: a, thresholds: {cpu: 50%}}}, notify: {webhook: "http://127.0.0.1:1"}}`)
	if len(s.Notify) != 1 || s.Notify[0].Name != "webhook.1" || len(s.Services[0].Thresholds) != 1 {
		t.Errorf("%+v %+v", s.Notify, s.Services[0].Thresholds)
	}
}

func TestThresholdsAreDecodedWithTheDefaultsOfTheirMeasure(t *testing.T) {
	s := mustLoad(t, `{services: {a: {command: a, port: auto, thresholds: [
		{memory: 400MiB, action: restart}, {cpu: 150%, for: 10, action: NOTIFY}, {handles: 5}, {threads: 6}, {processes: 7},
		{memory_growth: 1.5MiB/m, action: dump, dump_url: "http://127.0.0.1:${PORT}/debug/pprof/heap"},
		{log: 'a|b'}, {log: c, count: 10, within: 1h, action: {exec: [./x], timeout: 5s}}]}}}`)
	log := ThresholdAction{Do: ThresholdLog}
	want := []Threshold{
		{Memory: 400 << 20, For: 3, Action: ThresholdAction{Do: ThresholdRestart}},
		{CPU: 150, For: 10, Action: ThresholdAction{Do: ThresholdNotify}},
		{Handles: 5, For: 3, Action: log}, {Threads: 6, For: 3, Action: log}, {Processes: 7, For: 3, Action: log},
		{MemoryGrowth: 90 << 20, Action: ThresholdAction{Do: ThresholdDump}, DumpURL: "http://127.0.0.1:" + AutoPort + "/debug/pprof/heap"},
		{Log: "a|b", Count: 1, Within: 5 * time.Minute, Action: log},
		{Log: "c", Count: 10, Within: time.Hour, Action: ThresholdAction{Do: ThresholdRun, Action: &Action{Exec: []string{s.Dir + "/x"}, Timeout: 5 * time.Second}}},
	}
	if got := s.Services[0].Thresholds; !reflect.DeepEqual(got, want) {
		t.Errorf("got  %+v\nwant %+v", got, want)
	}
}

func TestThresholdsOfDefaultsAreReplacedByThoseOfAService(t *testing.T) {
	s := mustLoad(t, `{defaults: {thresholds: [{memory: 1GiB}, {cpu: 90%}]}, services: {
		a: {command: a}, b: {command: b, thresholds: [{memory: 2GiB}]}, c: {command: c, thresholds: null}, d: {command: d, thresholds: []}}}`)
	var got []int
	for _, svc := range s.Services {
		got = append(got, len(svc.Thresholds))
	}
	if !slices.Equal(got, []int{2, 1, 0, 0}) || s.Services[1].Thresholds[0].Memory != 2<<30 {
		t.Errorf("got %v thresholds", got)
	}
}

func TestThresholdsThatTellNobodyAreWarnedOf(t *testing.T) {
	const services = `services: {a: {command: a, instances: 3, thresholds: {cpu: 1%, action: notify}}, b: {command: b, thresholds: {cpu: 1%}}}`
	if r := loadText(t, "{"+services+"}"); len(r.Warnings) != 1 || r.Warnings[0].Path != "services.a.thresholds" || r.Warnings[0].Column == 0 {
		t.Errorf("%v", r.Warnings)
	}
	if r := loadText(t, "{notify: {exec: tell}, "+services+"}"); len(r.Warnings) != 0 {
		t.Errorf("%v", r.Warnings)
	}
}

func TestHostHTTPIsDecoded(t *testing.T) {
	s := mustLoad(t, `{host: {http: {listen: "[::1]:0", tls: {cert: a.pem, key: b.pem, client_ca: ca.pem}, tokens: [{name: ops, role: act, file: t}, {name: see, file: u}]}},
		services: {a: {command: a}}}`)
	in := func(name string) string { return s.Dir + "/" + name }
	want := HTTP{Listen: "[::1]:0", TLS: HTTPTLS{Cert: in("a.pem"), Key: in("b.pem"), ClientCA: in("ca.pem")},
		Tokens: []HTTPToken{{Name: "ops", Role: RoleAct, File: in("t")}, {Name: "see", Role: RoleRead, File: in("u")}}}
	if !reflect.DeepEqual(s.Host.HTTP, want) {
		t.Errorf("got  %+v\nwant %+v", s.Host.HTTP, want)
	}
}

func TestBeyondLoopbackNeedsEncryptionAndAProof(t *testing.T) {
	const tls, tokens = "tls: {cert: a, key: b}", "tokens: [{name: a, file: b}]"
	for _, c := range []struct {
		http string
		bad  int
	}{
		{`{listen: "localhost:1"}`, 0}, {`{listen: "127.0.0.5:1"}`, 0}, {`{listen: "[::1%lo]:1"}`, 0},
		{`{listen: ":1"}`, 2}, {`{listen: "0.0.0.0:1"}`, 2}, {`{listen: "[::]:1"}`, 2}, {`{listen: "srv:1"}`, 2}, {`{listen: "10.0.0.1:1"}`, 2},
		{`{listen: ":1", ` + tls + `}`, 1}, {`{listen: ":1", ` + tokens + `}`, 1}, {`{listen: ":1", ` + tls + ", " + tokens + `}`, 0},
		{`{listen: ":1", tls: {cert: a, key: b, client_ca: c}}`, 0},
		{`{tls: {client_ca: c}}`, 1}, {`{listen: ":70000"}`, 1}, {`{listen: "a:"}`, 1}, {`{listen: "a b:1"}`, 1}, {`{listen: a}`, 1},
	} {
		r := loadText(t, "{host: {http: "+c.http+"}, services: {a: {command: a}}}")
		if len(r.Problems) != c.bad {
			t.Errorf("%s: %d problems, want %d: %v", c.http, len(r.Problems), c.bad, r.Problems)
		}
	}
}

func TestLaterFileReplacesTheWholeListOfNotifiers(t *testing.T) {
	dir := t.TempDir()
	var files []string
	for name, text := range map[string]string{
		"a.yaml": `{host: {http: {listen: "127.0.0.1:1", tokens: {name: a, file: x}}}, notify: {exec: [a]}, services: {s: {command: s, thresholds: {cpu: 1%}}}}`,
		"b.yaml": `{host: {http: {tokens: {name: b, file: x}}}, notify: {webhook: "http://127.0.0.1:1"}, services: {s: {thresholds: {memory: 1MiB}}}}`,
	} {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		files = append(files, path)
	}
	slices.Sort(files)
	r := Load(Options{Files: files, Platform: "linux", LookupEnv: noEnv})
	if r.Spec == nil {
		t.Fatal(r.Problems)
	}
	s := r.Spec
	if len(s.Notify) != 1 || s.Notify[0].Webhook == nil || len(s.Host.HTTP.Tokens) != 1 || s.Host.HTTP.Tokens[0].Name != "b" || s.Host.HTTP.Listen == "" ||
		len(s.Services[0].Thresholds) != 1 || s.Services[0].Thresholds[0].Memory != 1<<20 {
		t.Errorf("%+v %+v %+v", s.Notify, s.Host.HTTP, s.Services[0].Thresholds)
	}
}

func TestIncludedFilesHaveNoNotify(t *testing.T) {
	dir := t.TempDir()
	main, part := filepath.Join(dir, "services.yaml"), filepath.Join(dir, "part.yaml")
	for path, text := range map[string]string{main: "{include: part.yaml, services: {a: {command: a}}}", part: "{notify: [{exec: [x]}], services: {b: {command: b}}}"} {
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	r := Load(Options{Files: []string{main}, Platform: "linux", LookupEnv: noEnv})
	if len(r.Problems) != 1 || !strings.Contains(r.Problems[0].Message, "belongs into the main file") {
		t.Errorf("%v", r.Problems)
	}
}

func TestHashSeesNotifyAndThresholds(t *testing.T) {
	path := filepath.Join(t.TempDir(), "services.yaml") // one folder: it is part of the hash
	load := func(text string) *Spec {
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		r := Load(Options{Files: []string{path}, Platform: "linux", LookupEnv: noEnv, DefaultName: "h"})
		if r.Spec == nil {
			t.Fatalf("%s: %v", text, r.Problems)
		}
		return r.Spec
	}
	hashes := map[string]string{}
	for _, text := range []string{
		"{services: {a: {command: a}}}",
		"{notify: [{exec: [x]}], services: {a: {command: a}}}",
		"{notify: [{exec: [x], group: 1m}], services: {a: {command: a}}}",
		"{services: {a: {command: a, thresholds: [{memory: 1MiB}]}}}",
		"{services: {a: {command: a, thresholds: [{memory: 1MiB, for: 4}]}}}",
		"{services: {a: {command: a, thresholds: [{memory: 1MiB, for: 4, action: {exec: [x]}}]}}}",
		"{host: {http: {listen: \"127.0.0.1:1\"}}, services: {a: {command: a}}}",
	} {
		hash := load(text).Hash
		if other := hashes[hash]; other != "" {
			t.Errorf("%s has the hash of %s", text, other)
		}
		hashes[hash] = text
	}
	plain, empty := load("{services: {a: {command: a}}}"), load("{notify: [], host: {http: {}}, services: {a: {command: a, thresholds: []}}}")
	if plain.Services[0].Hash != empty.Services[0].Hash || plain.Hash != empty.Hash {
		t.Error("an empty list is something else than none")
	}
}

func TestGrowthIsReadAndWritten(t *testing.T) {
	for text, want := range map[string]int64{"50MiB/h": 50 << 20, "1MiB/m": 60 << 20, "24GiB / d": 1 << 30, "1000B/h": 1000} {
		got, err := parseGrowth(text)
		if err != nil || got != want {
			t.Errorf("%s: %d %v", text, got, err)
		}
		if again, err := parseGrowth(FormatGrowth(got)); err != nil || again != got {
			t.Errorf("%s is written as %s", text, FormatGrowth(got))
		}
	}
	for _, text := range []string{"", "50MiB", "/h", "50/h", "50MiB/s", "0/h", "-1MiB/h", "1B/d", "1000000TiB/m"} {
		if got, err := parseGrowth(text); err == nil {
			t.Errorf("%q is taken for %d", text, got)
		}
	}
}
