package supervisor

import (
	"testing"
	"testing/synctest"
	"time"

	"servicehost/host/journal"
	"servicehost/host/process"
	"servicehost/host/process/processtest"
	"servicehost/spec"
)

func TestExitRecordKeepsWhatIsKnown(t *testing.T) {
	x := exitRecord(process.Exit{Code: 137, Signal: "SIGKILL", PeakMemory: 64 << 20}, "ended by SIGKILL", 90*time.Second)
	want := journal.Exit{Code: 137, Signal: "SIGKILL", Text: "ended by SIGKILL after 1m30s", Uptime: 90 * time.Second, PeakMemory: 64 << 20}
	if want.Status = exitStatus(137); *x != want {
		t.Errorf("%+v, want %+v", *x, want)
	}
}

func TestJournalTellsWhetherAnEndWasASuccess(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		fake := processtest.New()
		r := newRig(t, fake, nil)
		r.apply(service("api", func(s *spec.Service) { s.SuccessExitCodes, s.Restart.Policy = []int{0, 7}, spec.RestartAlways }))
		settle(20 * time.Second)
		for _, code := range []int{7, 1} {
			fake.Exit(r.want("api", Running).Run, code, "")
			settle(20 * time.Second)
		}
		r.do(Act{Verb: Stop, Names: []string{"api"}, Until: time.Now().Add(time.Hour)})
		settle(time.Second)
		r.mu.Lock()
		defer r.mu.Unlock()
		var got []string
		for _, e := range r.events {
			switch e.Kind {
			case journal.ProcessExited:
				got = append(got, e.Exit.Text[:6]+e.Details[journal.DetailSuccess])
			case journal.OperatorAction:
				if until, err := time.Parse(time.RFC3339, e.Details[journal.DetailUntil]); err != nil || time.Until(until) > time.Hour || time.Until(until) < 59*time.Minute {
					t.Errorf("a stop until %v, %v", until, err)
				}
				got = append(got, e.Actor)
			}
		}
		want := []string{"exit 7true", "exit 1", "tester"}
		if len(got) != 4 || got[0] != want[0] || got[1] != want[1] || got[2] != want[2] || got[3][len(got[3])-4:] != "true" {
			t.Errorf("told %q, want %q and the end of the stop", got, want)
		}
	})
}
