package cli

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"
	"time"

	"servicehost/host/control"
)

func TestNotifiersAreATable(t *testing.T) {
	a := &app{now: func() time.Time { return now }}
	want := `  NAME  KIND      SENT  WAITING  FAILED  STATE
● ops   webhook     12        0       0  ok
✗ ding  dingtalk     3        4       1  trouble for 2m: it answered errcode 310000: sign not match
`
	got := a.notifiersText([]control.NotifierStatus{
		{Name: "ops", Kind: "webhook", Template: "generic", State: "ok", Since: now, Sent: 12},
		{Name: "ding", Kind: "webhook", Template: "dingtalk", State: "trouble", Since: now.Add(-2 * time.Minute), Reason: "it answered errcode 310000: sign not match", Sent: 3, Waiting: 4, Failed: 1},
	})
	if got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
	if got := a.notifiersText(nil); got != "nobody is notified: the spec has no notify section\n" {
		t.Errorf("%q", got)
	}
}

func TestStatusNamesReceiversInTrouble(t *testing.T) {
	a := &app{now: func() time.Time { return now }}
	s := orders()
	s.Host.Notify = []control.NotifierStatus{{Name: "ok", State: "ok"}, {Name: "ops", State: "trouble", Since: now.Add(-time.Minute), Reason: "connection refused", Waiting: 3}}
	if got := a.statusText(s, false, 0); strings.Count(got, "notifier") != 1 || !strings.Contains(got, "\nnotifier ops takes nothing for 1m, 3 messages wait: connection refused\n") {
		t.Error(got)
	}
}

func TestNotifyExitCodeSaysWhetherMessagesArrive(t *testing.T) {
	runDir(t)
	if r := invoke("notify", "test"); r.code != 4 {
		t.Errorf("no host: exit %d", r.code)
	}
	f := &fakeHost{status: orders(), tested: control.NotifyTestResult{Notifiers: []control.NotifyTestOutcome{{Name: "ops", Kind: "webhook", OK: true, DurationMS: 120}}}}
	f.status.Host.Notify = []control.NotifierStatus{{Name: "ops", Kind: "webhook", State: "ok"}}
	serve(t, f, "orders-01", "services.yaml")
	if r := invoke("notify"); r.code != 0 || !strings.Contains(r.stdout, "● ops") {
		t.Errorf("%+v", r)
	}
	if r := invoke("notify", "test", "ops"); r.code != 0 || !strings.Contains(r.stdout, "took it after 120ms") || !slices.Equal(f.tests[0].Names, []string{"ops"}) {
		t.Errorf("%+v", r)
	}
	f.status.Host.Notify[0].State = "trouble"
	if r := invoke("notify", "-o", "json"); r.code != 3 || !json.Valid([]byte(r.stdout)) {
		t.Errorf("%+v", r)
	}
	f.tested.Notifiers = append(f.tested.Notifiers, control.NotifyTestOutcome{Name: "mail", Kind: "smtp", Reason: "no answer within 10s"})
	r := invoke("notify", "test", "-o", "json")
	var got control.NotifyTestResult
	if err := json.Unmarshal([]byte(r.stdout), &got); err != nil || r.code != 1 || len(got.Notifiers) != 2 || got.Notifiers[1].OK {
		t.Errorf("%v %+v", err, r)
	}
	f.err = &control.Error{Status: 404, Message: `no notifier "opps"`, Hint: "there are: ops, mail"}
	if r := invoke("notify", "test", "opps"); r.code != 1 || !strings.Contains(r.stderr, "there are: ops, mail") {
		t.Errorf("%+v", r)
	}
	if r := invoke("notify", "tset"); r.code != 1 || !strings.Contains(r.stderr, "did you mean test?") {
		t.Errorf("%+v", r)
	}
}
