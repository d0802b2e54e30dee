package notify

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"servicehost/host/journal"
	"servicehost/spec"
)

func TestFirstAlertLeavesAtOnceAndMoreAreGrouped(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t)
		r.hub.Apply([]spec.Notifier{notified("ops", 5*time.Minute)})
		began := time.Now()
		r.journal.Append(of("api", journal.Failed, "10 restarts in 10m"))
		synctest.Wait()
		ops := r.receiver("ops")
		equal(t, "at once", ops.titles(), []string{"api has failed"})
		if took := ops.times[0].Sub(began); took > time.Second {
			t.Errorf("the first alert took %v", took)
		}
		for n := range 3 {
			time.Sleep(time.Minute)
			r.journal.Append(of("api", journal.Failed, fmt.Sprintf("again %d", n)))
			r.journal.Append(of("web", journal.Failed, "another")) // a subject of its own
		}
		time.Sleep(time.Minute)
		synctest.Wait()
		equal(t, "within the window", ops.titles(), []string{"api has failed", "web has failed"})
		time.Sleep(3 * time.Minute)
		synctest.Wait()
		equal(t, "after the window", ops.titles(), []string{"api has failed", "web has failed", "api has failed, 3 times", "web has failed, 2 times"})
		got := ops.alerts()[2]
		if got.Count != 3 || got.Total != 4 || got.Reason != "again 2" || got.Status != Firing || got.Since.After(began.Add(time.Second)) {
			t.Errorf("the summary is %+v", got)
		}
	})
}

func TestEndIsToldWithHowLongItLasted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t)
		r.hub.Apply([]spec.Notifier{notified("ops", 5*time.Minute)})
		r.stand("api", Standing{Known: true})
		r.journal.Append(of("api", journal.Failed, "gave up"))
		time.Sleep(time.Minute)
		r.journal.Append(of("api", journal.Failed, "gave up"))
		r.journal.Append(state("api", "running", ""))
		time.Sleep(10 * time.Second)
		synctest.Wait()
		equal(t, "it runs, but is not well", r.receiver("ops").titles(), []string{"api has failed"})
		r.stand("api", Standing{Known: true, Well: true, Text: "running and ready"})
		r.journal.Append(of("api", journal.Healthy, "ready"))
		time.Sleep(time.Second)
		synctest.Wait()
		equal(t, "it is well", r.receiver("ops").titles(), []string{"api has failed", "api is well again, after 1m10s"})
		got := r.receiver("ops").alerts()
		if a := got[1]; a.Event != spec.AlertRecovered || a.Resolves != spec.AlertFailed || a.Status != Resolved || a.Count != 1 || a.Reason != "running and ready" ||
			a.Alert != got[0].Alert || a.ID == got[0].ID || a.DurationSeconds < 70 || a.DurationSeconds > 71 {
			t.Errorf("%+v", a)
		}
		time.Sleep(time.Hour)
		synctest.Wait()
		if got := r.receiver("ops").titles(); len(got) != 2 {
			t.Errorf("something came later: %v", got)
		}
	})
}

func TestFlappingIsToldOnceAWindowAndItsEndWhenItLasts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t)
		r.hub.Apply([]spec.Notifier{notified("ops", time.Minute)})
		for range 20 { // every 20 s it ends, and runs for 10 s
			r.journal.Append(state("api", "backoff", "exit 3"))
			time.Sleep(10 * time.Second)
			r.journal.Append(state("api", "running", ""))
			time.Sleep(10 * time.Second)
		}
		time.Sleep(time.Hour)
		synctest.Wait()
		got := r.receiver("ops").titles()
		want := []string{"api ended and is started again", "api runs again, after 13s"}
		equal(t, "the beginning", got[:2], want)
		if len(got) > 6 {
			t.Errorf("20 ends led to %d messages: %v", len(got), got)
		}
		total := 0
		for _, a := range r.receiver("ops").alerts() {
			total += a.Count
		}
		if total != 20 || !strings.HasPrefix(got[len(got)-1], "api runs again") {
			t.Errorf("%d of 20 are told: %v", total, got)
		}
	})
}

func TestWhatIsToldIsChosen(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t)
		some := notified("some", 0)
		some.On, some.Services = []spec.AlertEvent{spec.AlertFailed}, []string{"api"}
		r.hub.Apply([]spec.Notifier{some, notified("all", 0)})
		r.journal.Append(of("api", journal.Failed, ""))
		r.journal.Append(of("web", journal.Failed, ""))
		r.journal.Append(of("api", journal.Unhealthy, ""))
		r.journal.Append(journal.Event{Kind: journal.ReloadRejected, Reason: "bad"})
		r.journal.Append(state("api", "running", ""))
		time.Sleep(time.Minute)
		synctest.Wait()
		equal(t, "some", r.receiver("some").titles(), []string{"api has failed"})
		equal(t, "all", r.receiver("all").titles(), []string{"api has failed", "web has failed", "api is not ready", "the edited spec was rejected",
			"api is well again, after 3s", "api is ready again, after 3s"})
	})
}

func TestSlowReceiverHoldsUpNobody(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t)
		r.receiver("slow").hang = true
		r.hub.Apply([]spec.Notifier{notified("slow", 0), notified("quick", 0)})
		for n := range 100 {
			r.journal.Append(of(fmt.Sprintf("api%d", n), journal.Failed, ""))
		}
		synctest.Wait()
		if got := r.receiver("quick").titles(); len(got) != 100 {
			t.Errorf("the quick one got %d", len(got))
		}
		if s := r.hub.Stats(); s[0].Waiting != 100 || s[1].Sent != 100 || s[1].Waiting != 0 {
			t.Errorf("%+v", s)
		}
	})
}

func TestReceiverThatIsAwayGetsEverythingOnceInOrder(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t)
		ops := r.receiver("ops")
		ops.set(func(int) outcome { return outcome{err: errAway} })
		r.hub.Apply([]spec.Notifier{notified("ops", 5*time.Minute)})
		var want []string
		for n := range 10 {
			r.journal.Append(of(fmt.Sprintf("s%d", n), journal.Failed, ""))
			want = append(want, fmt.Sprintf("s%d has failed", n))
			time.Sleep(3 * time.Second)
		}
		if s := r.hub.Stats()[0]; s.State != StateTrouble || s.Reason != errAway.Error() || s.Waiting != 10 {
			t.Errorf("%+v", s)
		}
		ops.set(nil)
		time.Sleep(time.Minute)
		synctest.Wait()
		equal(t, "after 30 s", ops.titles(), want)
		if s := r.hub.Stats()[0]; s.State != StateOK || s.Sent != 10 || s.Waiting != 0 || s.Reason != "" {
			t.Errorf("%+v", s)
		}
		told := r.told()
		if len(told) != 2 || told[0] != `notifier "ops" (test://receiver/…) is in trouble: connection refused; what is for it waits` || !strings.HasPrefix(told[1], `notifier "ops" (test://receiver/…) works again after `) {
			t.Errorf("%q", told)
		}
	})
}

func TestTriesComeMoreAndMoreRarely(t *testing.T) {
	for fails, want := range map[int]time.Duration{1: time.Second, 2: 1500 * time.Millisecond, 3: 2250 * time.Millisecond, 12: time.Minute, 5000: time.Minute} {
		low, high := backoff(fails, 0), backoff(fails, 0.999)
		if low != want*3/4 || high > lastRetry || high < min(lastRetry, want*5/4-want/100) {
			t.Errorf("after %d failures it waits %v to %v, want about %v", fails, low, high, want)
		}
	}
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t)
		ops := r.receiver("ops")
		ops.set(func(try int) outcome {
			if try == 1 {
				return outcome{err: errors.New("it answered 429"), wait: 10 * time.Minute}
			}
			return outcome{}
		})
		r.hub.Apply([]spec.Notifier{notified("ops", 0)})
		began := time.Now()
		r.journal.Append(of("api", journal.Failed, ""))
		time.Sleep(time.Hour)
		synctest.Wait()
		if got := ops.times[0].Sub(began); got < 10*time.Minute || got > 10*time.Minute+time.Second {
			t.Errorf("it was told to wait for 10m, and came again after %v", got)
		}
	})
}

func TestRefusedMessageIsGivenUpAndToldOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t)
		ops := r.receiver("ops")
		ops.set(func(int) outcome { return refused("it answered 404 Not Found") })
		r.hub.Apply([]spec.Notifier{notified("ops", 0)})
		for range 5 {
			r.journal.Append(of("api", journal.Failed, ""))
			time.Sleep(time.Second)
		}
		ops.set(nil)
		r.journal.Append(of("web", journal.Failed, ""))
		time.Sleep(time.Second)
		synctest.Wait()
		equal(t, "received", ops.titles(), []string{"web has failed"})
		if s := r.hub.Stats()[0]; s.Failed != 5 || s.Sent != 1 || s.State != StateOK || ops.tries != 6 {
			t.Errorf("%+v after %d tries", s, ops.tries)
		}
		equal(t, "told", r.told(), []string{`notifier "ops" (test://receiver/…) is in trouble: it answered 404 Not Found; 1 message given up`,
			`notifier "ops" (test://receiver/…) works again after 5s`})
	})
}

func TestMessageIsGivenUpAfterADay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t)
		r.receiver("ops").set(func(int) outcome { return outcome{err: errAway} })
		r.hub.Apply([]spec.Notifier{notified("ops", 0)})
		r.journal.Append(of("api", journal.Failed, ""))
		time.Sleep(25 * time.Hour)
		synctest.Wait()
		if s := r.hub.Stats()[0]; s.Failed != 1 || s.Waiting != 0 {
			t.Errorf("%+v", s)
		}
	})
}

func TestListIsAppliedLive(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t)
		r.receiver("a").set(func(int) outcome { return outcome{err: errAway} })
		r.receiver("b").set(func(int) outcome { return outcome{err: errAway} })
		r.hub.Apply([]spec.Notifier{notified("a", 0), notified("b", 0)})
		r.journal.Append(of("api", journal.Failed, ""))
		time.Sleep(10 * time.Second)
		r.receiver("a").set(nil)
		changed := notified("a", 0)
		changed.Timeout = time.Second
		r.hub.Apply([]spec.Notifier{changed})
		synctest.Wait()
		equal(t, "a changed one tries at once", r.receiver("a").titles(), []string{"api has failed"})
		time.Sleep(2 * time.Second)
		synctest.Wait()
		if keys := r.store.Keys(keepPrefix); !slices.Equal(keys, []string{"notify/a"}) {
			t.Errorf("kept are %v", keys)
		}
		r.receiver("b").set(nil)
		r.hub.Apply([]spec.Notifier{changed, notified("b", 0)})
		time.Sleep(time.Hour)
		synctest.Wait()
		if got := r.receiver("b").titles(); len(got) > 0 {
			t.Errorf("one that was removed goes on with %v", got)
		}
		only := notified("a", 0)
		only.On = []spec.AlertEvent{spec.AlertLimit}
		r.hub.Apply([]spec.Notifier{only})
		r.journal.Append(of("api", journal.Failed, ""))
		r.journal.Append(of("api", journal.LimitHit, "memory"))
		synctest.Wait()
		equal(t, "with other events", r.receiver("a").titles(), []string{"api has failed", "api met one of its limits"})
	})
}

func TestSpecAlertsEndWithAGoodSpec(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t)
		r.hub.Apply([]spec.Notifier{notified("ops", time.Minute)})
		r.mu.Lock()
		r.spec = SpecStanding{Rejected: true}
		r.mu.Unlock()
		r.journal.Append(journal.Event{Kind: journal.ReloadRejected, Reason: "line 3"})
		r.journal.Append(journal.Event{Kind: journal.ReloadApplied, Reason: "restart api", Actor: "a watched file changed"})
		time.Sleep(10 * time.Second)
		r.mu.Lock()
		r.spec = SpecStanding{}
		r.mu.Unlock()
		r.journal.Append(journal.Event{Kind: journal.ReloadApplied, Reason: "mended", Actor: "the file changed"})
		time.Sleep(time.Second)
		synctest.Wait()
		equal(t, "messages", r.receiver("ops").titles(), []string{"the edited spec was rejected", "an edited spec was applied", "the spec is valid again, after 10s"})
	})
}

func TestRolledBackEndsWhenTheSpecIsInForce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t)
		r.hub.Apply([]spec.Notifier{notified("ops", time.Minute)})
		r.stand("api", Standing{Known: true, Well: true, RolledBack: true})
		r.journal.Append(of("api", journal.RolledBack, "exit 3"))
		r.journal.Append(state("api", "running", ""))
		time.Sleep(10 * time.Second)
		synctest.Wait()
		equal(t, "it runs the former spec", r.receiver("ops").titles(), []string{"api was rolled back to the spec that worked"})
		r.stand("api", Standing{Known: true, Well: true, Text: "running"})
		r.journal.Append(journal.Event{Kind: journal.ReloadApplied, Reason: "restart api"})
		time.Sleep(10 * time.Second)
		synctest.Wait()
		if got := r.receiver("ops").titles(); got[len(got)-1] != "api is rolled back no more, after 13s" {
			t.Errorf("%q", got)
		}
	})
}

func TestOperatorsStopIsNoAlertButEndsOne(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t)
		r.hub.Apply([]spec.Notifier{notified("ops", time.Minute)})
		r.journal.Append(of("api", journal.OperatorAction, "stop"))
		r.journal.Append(state("api", "stopping", "stopped by li.wei"))
		r.journal.Append(of("api", journal.ProcessExited, "ended by SIGTERM"))
		r.journal.Append(state("api", "stopped", "stopped by li.wei"))
		time.Sleep(time.Hour)
		synctest.Wait()
		if got := r.receiver("ops").titles(); len(got) > 0 {
			t.Errorf("a stop led to %q", got)
		}
		r.stand("web", Standing{Known: true, Well: true, Text: "stopped by li.wei"})
		r.journal.Append(of("web", journal.Failed, ""))
		r.journal.Append(state("web", "stopped", "stopped by li.wei"))
		time.Sleep(time.Second)
		synctest.Wait()
		got := r.receiver("ops").alerts()
		if len(got) != 2 || got[1].Status != Resolved || got[1].Reason != "stopped by li.wei" {
			t.Errorf("%+v", got)
		}
	})
}

func TestSeveralGoTogetherWhereTheReceiverTakesThem(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t)
		r.receiver("chat").most_ = 4
		r.hub.Apply([]spec.Notifier{notified("chat", time.Minute)})
		began := time.Now()
		for n := range 10 {
			r.journal.Append(of(fmt.Sprintf("s%d", n), journal.Failed, ""))
		}
		time.Sleep(time.Second)
		synctest.Wait()
		chat := r.receiver("chat")
		if len(chat.got) != 10 || chat.tries != 3 || chat.times[2].Sub(began) > time.Second {
			t.Errorf("%d alerts in %d messages, the last after %v", len(chat.got), chat.tries, chat.times[len(chat.times)-1].Sub(began))
		}
	})
}

func TestTestMessageGoesBesideWhatWaits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t)
		r.receiver("bad").set(func(int) outcome { return outcome{err: errAway} })
		r.hub.Apply([]spec.Notifier{notified("ops", 0), notified("bad", 0)})
		r.journal.Append(of("api", journal.Failed, ""))
		time.Sleep(time.Second)
		got, err := r.hub.Test(t.Context(), nil, "li.wei")
		if err != nil || len(got) != 2 || got[0].Err != nil || !errors.Is(got[1].Err, errAway) || got[1].Name != "bad" {
			t.Errorf("%+v, %v", got, err)
		}
		if got, err := r.hub.Test(t.Context(), []string{"OPS"}, ""); err != nil || len(got) != 1 || got[0].Name != "ops" {
			t.Errorf("%+v, %v", got, err)
		}
		if _, err := r.hub.Test(t.Context(), []string{"opps"}, ""); err == nil || err.Error() != `no notifier "opps"` {
			t.Errorf("%v", err)
		}
		r.receiver("bad").set(nil)
		if _, err := r.hub.Test(t.Context(), []string{"bad"}, ""); err != nil {
			t.Error(err)
		}
		synctest.Wait()
		equal(t, "what waited is sent when a test went well", r.receiver("bad").titles(), []string{"a test message", "api has failed"})
		a := r.receiver("ops").alerts()[1]
		if a.Event != EventTest || a.Status != Testing || a.Actor != "li.wei" || a.ID == "" || a.Title != "a test message" {
			t.Errorf("%+v", a)
		}
	})
}

// A host without notifiers has nothing of this package running.
func TestNothingRunsWithoutNotifiers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t)
		r.hub.Apply(nil)
		r.journal.Append(of("api", journal.Failed, ""))
		synctest.Wait()
		if r.hub.stop != nil || len(r.hub.Stats()) > 0 || r.store.puts > 0 {
			t.Error("something runs")
		}
	})
}
