package reload

import (
	"strings"
	"testing"
	"time"

	"servicehost/spec"
)

func TestChangedNotifiersAreShownWithoutTheirAddresses(t *testing.T) {
	hook := func(url string) spec.Notifier {
		return spec.Notifier{Name: "ops", Webhook: &spec.WebhookURL{URL: url}, Group: time.Minute, Headers: map[string]string{"X-Token": url[len(url)-7:]}}
	}
	mail := spec.Notifier{Name: "mail", SMTP: &spec.SMTP{Server: "smtp.example.com:587", From: "h@example.com", To: []string{"o@example.com"}, User: "h", Password: &spec.Secret{Env: "P"}, StartTLS: "auto"}}
	old := &spec.Spec{Notify: []spec.Notifier{hook("https://hooks.example.com/T0/S3CRET1"), mail}}
	next := &spec.Spec{Notify: []spec.Notifier{hook("https://hooks.example.com/T0/S3CRET2"), {Name: "exec.2", Exec: []string{"tell", "--token", "S3CRET3"}, On: []spec.AlertEvent{"failed", "recovered"}}}}
	p := Diff(nil, old, next)
	got := fieldsText(p.Host)
	want := strings.Join([]string{
		"notify.exec.2.name (live):  -> exec.2",
		"notify.exec.2.exec (live):  -> tell --token #",
		"notify.exec.2.on (live):  -> failed, recovered",
		"notify.mail.name (live): mail ->",
		"notify.mail.smtp (live): smtp.example.com:587 from h@example.com to o@example.com as h (password: env P) ->",
		"notify.ops.webhook (live): https://hooks.example.com/# -> https://hooks.example.com/#",
		"notify.ops.headers (live): X-Token=# -> X-Token=#",
	}, "\n")
	var lines []string
	for line := range strings.Lines(hashless(got)) {
		lines = append(lines, strings.TrimRight(line, " \n"))
	}
	if strings.Contains(got, "S3CRET") || strings.Join(lines, "\n") != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
	for _, f := range p.Host {
		if f.Old == f.New {
			t.Errorf("%s: the change is not seen", f.Path)
		}
	}
	if !Diff(nil, next, next).Empty() {
		t.Error("the same is a change")
	}
}

func TestChangedThresholdsRestartNothing(t *testing.T) {
	with := func(ts ...spec.Threshold) []*spec.Service {
		return []*spec.Service{service("api", 1, func(s *spec.Service) { s.Thresholds = ts })}
	}
	log := spec.ThresholdAction{Do: spec.ThresholdLog}
	p := diff(with(spec.Threshold{Memory: 400 << 20, For: 3, Action: log}), with(
		spec.Threshold{Memory: 500 << 20, For: 3, Action: spec.ThresholdAction{Do: spec.ThresholdRun, Action: &spec.Action{Exec: []string{"tell", "me"}}}},
		spec.Threshold{CPU: 150, For: 1, Action: log}, spec.Threshold{MemoryGrowth: 50 << 20, Action: spec.ThresholdAction{Do: spec.ThresholdDump}, DumpURL: "http://127.0.0.1:1/heap"},
		spec.Threshold{Log: "a b", Count: 2, Within: time.Minute, Action: log}))
	if len(p.Changes) != 1 || p.Changes[0].Action != ActionUpdate {
		t.Fatalf("%+v", p.Changes)
	}
	f := p.Changes[0].Fields[0]
	if f.Path != "thresholds" || f.Class != "live" || f.Old != "memory 400MiB for 3: log" || !strings.HasPrefix(f.New, "memory 500MiB for 3: exec tell me; cpu 150% for 1: log; memory_growth 50MiB/h: dump of http") {
		t.Errorf("%+v", f)
	}
}

func TestTokensAreShownWithoutWhatTheirFilesHold(t *testing.T) {
	old, next := &spec.Spec{}, &spec.Spec{}
	next.Host.HTTP = spec.HTTP{Listen: "127.0.0.1:9180", Tokens: []spec.HTTPToken{{Name: "ops", Role: spec.RoleAct, File: "/srv/t"}}}
	got := fieldsText(Diff(nil, old, next).Host)
	if want := "http.listen (live):  -> 127.0.0.1:9180\nhttp.tokens (live):  -> ops may act (file /srv/t)"; got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}
