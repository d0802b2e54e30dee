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

func TestRestartOfTheHostLosesNothingAndRepeatsNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t)
		ops := r.receiver("ops")
		list := []spec.Notifier{notified("ops", 5*time.Minute)}
		for _, name := range []string{"sent", "waits", "late"} {
			r.stand(name, Standing{Known: true})
		}
		r.hub.Apply(list)
		r.journal.Append(of("sent", journal.Failed, ""))
		synctest.Wait()
		ops.set(func(int) outcome { return outcome{err: errAway} })
		r.journal.Append(of("waits", journal.Failed, "first"))
		r.journal.Append(of("sent", journal.Failed, "second"))
		time.Sleep(time.Second)
		time.Sleep(time.Second)
		waiting := r.store.all()
		r.close(2 * time.Second)
		r.journal.Append(of("late", journal.Failed, "between two hosts"))
		if !strings.Contains(waiting, `"service":"waits"`) {
			t.Errorf("not kept while it waits: %s", waiting)
		}
		r.open()
		ops.set(nil)
		r.hub.Apply(list)
		synctest.Wait()
		equal(t, "after the restart", ops.titles(), []string{"sent has failed", "waits has failed", "late has failed"})
		time.Sleep(5 * time.Minute)
		synctest.Wait()
		equal(t, "after the window", ops.titles(), []string{"sent has failed", "waits has failed", "late has failed", "sent has failed"})
		r.stand("gone", Standing{})
		r.journal.Append(of("gone", journal.Failed, ""))
		time.Sleep(time.Second)
		r.close(0)
		r.open()
		r.hub.Apply(list)
		time.Sleep(time.Minute)
		synctest.Wait()
		if got := ops.titles(); !slices.Contains(got, "gone is well again, after 11s") {
			t.Errorf("a service that is in the spec no more still has its alert: %q", got)
		}
	})
}

// What a receiver took whose host was killed before it could note that is sent again under its ID.
func TestKilledHostSendsAgainUnderTheSameID(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t)
		list := []spec.Notifier{notified("ops", 5*time.Minute)}
		r.hub.Apply(list)
		ops := r.receiver("ops")
		var before map[string]string
		ops.set(func(int) outcome {
			before = r.store.copy()
			return outcome{}
		})
		r.journal.Append(of("api", journal.Failed, "gave up"))
		synctest.Wait()
		r.close(0)
		r.store.values = before
		r.open()
		r.hub.Apply(list)
		r.journal.Append(of("api", journal.Failed, "again"))
		synctest.Wait()
		got := ops.alerts()
		if len(got) != 2 || got[0].ID != got[1].ID || got[1].Reason != "gave up" || got[1].Count != 1 {
			t.Errorf("%+v", got)
		}
	})
}

func TestFirstStartBeginsWithNow(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t)
		r.close(0)
		r.journal.Append(of("old", journal.Failed, ""))
		r.open()
		r.journal.Append(journal.Event{Kind: journal.HostStarted, Reason: "version 1"})
		r.hub.Apply([]spec.Notifier{notified("ops", 0)})
		r.journal.Append(of("new", journal.Failed, ""))
		synctest.Wait()
		equal(t, "first start", r.receiver("ops").titles(), []string{"the host has started", "new has failed"})
		r.hub.Apply([]spec.Notifier{notified("ops", 0), notified("added", 0)})
		r.journal.Append(of("newer", journal.Failed, ""))
		synctest.Wait()
		equal(t, "added later", r.receiver("added").titles(), []string{"newer has failed"})
	})
}

func TestRemovedNotifierOfAFormerHostIsForgotten(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t)
		r.store.values["notify/old"] = `{"seq":1}`
		r.store.values["other"] = `{}`
		r.hub.Apply([]spec.Notifier{notified("ops", 0)})
		if keys := r.store.Keys(""); slices.Contains(keys, "notify/old") || !slices.Contains(keys, "other") {
			t.Errorf("kept are %v", keys)
		}
	})
}

func TestEndingHostSendsWhatItCan(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t)
		r.receiver("hangs").hang = true
		r.hub.Apply([]spec.Notifier{notified("ops", 0), notified("hangs", 0)})
		r.journal.Append(journal.Event{Kind: journal.HostStopping, Reason: "told by a signal"})
		began := time.Now()
		r.close(2 * time.Second)
		if took := time.Since(began); took > 2*time.Second+100*time.Millisecond {
			t.Errorf("the end took %v", took)
		}
		equal(t, "ops", r.receiver("ops").titles(), []string{"the host is ending"})
		if told := r.told(); len(told) > 0 {
			t.Errorf("the end of the host is no trouble of a receiver: %q", told)
		}
		r.receiver("hangs").hang = false
		r.open()
		r.hub.Apply([]spec.Notifier{notified("ops", 0), notified("hangs", 0)})
		synctest.Wait()
		equal(t, "the next host", r.receiver("hangs").titles(), []string{"the host is ending"})
		equal(t, "ops", r.receiver("ops").titles(), []string{"the host is ending"})
	})
}

func TestBrokenStoreIsToldOnceAndStopsNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t)
		r.store.err = errors.New("no space left on device")
		r.store.values["notify/ops"] = "{broken"
		r.hub.Apply([]spec.Notifier{notified("ops", 0)})
		for n := range 5 {
			r.journal.Append(of(fmt.Sprintf("s%d", n), journal.Failed, ""))
			time.Sleep(time.Second)
		}
		synctest.Wait()
		if got := r.receiver("ops").titles(); len(got) != 5 {
			t.Errorf("%q", got)
		}
		warned := 0
		for _, e := range r.journal.Recent(100) {
			if e.Kind == journal.Warning {
				warned++
			}
		}
		if warned != 2 {
			t.Errorf("%d warnings: %+v", warned, r.journal.Recent(100))
		}
	})
}

// What is written down for a storm grows with the number of alerts, not with its square.
func TestStormIsKeptCheaply(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t)
		r.hub.Apply([]spec.Notifier{notified("ops", 5*time.Minute)})
		const services = 1000
		for n := range services {
			r.journal.Append(of(fmt.Sprintf("s%d", n), journal.Failed, "crash loop: 10 restarts in 10m (last: exit 3 after 1.2s)"))
		}
		time.Sleep(10 * time.Second)
		synctest.Wait()
		if got := len(r.receiver("ops").titles()); got != services {
			t.Errorf("%d of %d arrived", got, services)
		}
		if r.store.bytes > 4<<20 || len(r.store.Keys("")) != 1 {
			t.Errorf("%d bytes in %d writes, %d records are left", r.store.bytes, r.store.puts, len(r.store.Keys("")))
		}
		t.Logf("%d bytes in %d writes", r.store.bytes, r.store.puts)
	})
}

// Whenever the host is killed, the next one completes what the receiver gets: all of it, and each ID once more at
// most where the answer could not be noted.
func TestKilledAtAnyTimeLosesNothing(t *testing.T) {
	for _, wait := range []time.Duration{0, time.Millisecond, 900 * time.Millisecond, 1100 * time.Millisecond, 3 * time.Second, 61 * time.Second} {
		synctest.Test(t, func(t *testing.T) {
			r := newRig(t)
			ops := r.receiver("ops")
			list := []spec.Notifier{notified("ops", time.Minute)}
			r.hub.Apply(list)
			fired := 0
			fail := func() {
				for _, name := range []string{"a", "b", "c"} {
					r.stand(name, Standing{Known: true})
					r.journal.Append(of(name, journal.Failed, fmt.Sprintf("%d", fired)))
					fired++
				}
			}
			fail()
			time.Sleep(wait)
			fail()
			synctest.Wait()
			left := r.store.copy()
			r.close(0)
			r.store.mu.Lock()
			r.store.values = left
			r.store.mu.Unlock()
			r.open()
			r.hub.Apply(list)
			fail()
			time.Sleep(time.Hour)
			synctest.Wait()
			ids, counted := map[string]bool{}, 0
			for _, a := range ops.alerts() {
				if ids[a.ID] {
					t.Errorf("after %v: %s %q came twice", wait, a.ID, a.Title)
				}
				ids[a.ID] = true
				counted += a.Count
			}
			if counted != fired {
				t.Errorf("after %v: %d of %d are told: %q", wait, counted, fired, ops.titles())
			}
		})
	}
}
