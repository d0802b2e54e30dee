package thresholds

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"servicehost/host/logs"
	"servicehost/host/process"
	"servicehost/host/usage"
	"servicehost/spec"
)

// rig is a set whose events are written down.
type rig struct {
	*Set
	t       *testing.T
	mu      sync.Mutex
	events  []Event
	watched []map[string]bool
	at      time.Time
	run     uint64
}

func newRig(t *testing.T) *rig {
	r := &rig{t: t, at: time.Now(), run: 1}
	r.Set = New(Options{
		Tell:  func(e Event) { r.mu.Lock(); r.events = append(r.events, e); r.mu.Unlock() },
		Watch: func(ids map[string]bool) { r.mu.Lock(); r.watched = append(r.watched, ids); r.mu.Unlock() },
	})
	t.Cleanup(r.Close)
	return r
}

var api = Key{"api", 1}

func (r *rig) apply(ts ...spec.Threshold) logs.Sink { return r.Apply(api, "api", ts) }

// samples hands over a sample every period.
func (r *rig) samples(u ...process.Usage) {
	for _, v := range u {
		r.at = r.at.Add(usage.Period)
		r.Sample(usage.Sample{ID: "api", Run: process.RunID{Service: "api", Instance: 1, Incarnation: r.run}, At: r.at, Usage: v, CPUPercent: v.CPU.Seconds()})
	}
}

func (r *rig) memory(mibs ...int64) {
	for _, m := range mibs {
		r.samples(process.Usage{Memory: m * mib})
	}
}

// told returns what was told since the last call: + crossed, - cleared, with the measure.
func (r *rig) told() string {
	r.mu.Lock()
	defer r.mu.Unlock()
	var out []string
	for _, e := range r.events {
		out = append(out, map[bool]string{true: "+", false: "-"}[e.Crossed]+e.Measure)
	}
	r.events = nil
	return strings.Join(out, " ")
}

func (r *rig) expect(want string) {
	r.t.Helper()
	if got := r.told(); got != want {
		r.t.Errorf("told %q, want %q", got, want)
	}
}

func memory(limit int64, samples int) spec.Threshold {
	return spec.Threshold{Memory: limit * mib, For: samples, Action: spec.ThresholdAction{Do: spec.ThresholdLog}}
}

func TestCountsAfterSamplesInARow(t *testing.T) {
	r := newRig(t)
	r.apply(memory(400, 3))
	r.memory(401, 500, 400, 401, 401)
	r.expect("")
	r.memory(450)
	r.expect("+memory")
	r.memory(500, 600, 700)
	r.expect("")
}

func TestClearsWellBelowTheLimitOnly(t *testing.T) {
	r := newRig(t)
	r.apply(memory(400, 2))
	r.memory(450, 450)
	r.expect("+memory")
	for range 20 { // about the limit: neither crossed again nor over
		r.memory(399, 401, 361, 420, 359, 380)
	}
	r.expect("")
	r.memory(359, 359)
	r.expect("-memory")
	r.memory(401)
	r.expect("")
	r.memory(401)
	r.expect("+memory")
}

func TestEveryMeasureIsCompared(t *testing.T) {
	low := process.Usage{CPU: 49 * time.Second, Handles: 90, Threads: 9, Processes: 2}
	high := process.Usage{CPU: 51 * time.Second, Handles: 101, Threads: 11, Processes: 3}
	for want, th := range map[string]spec.Threshold{
		"cpu": {CPU: 50, For: 1}, "handles": {Handles: 100, For: 1}, "threads": {Threads: 10, For: 1}, "processes": {Processes: 2, For: 1},
	} {
		r := newRig(t)
		r.apply(th)
		r.samples(low)
		r.expect("")
		r.samples(high)
		r.expect("+" + want)
	}
}

func TestSmallNumbersClearAtTheLimit(t *testing.T) {
	r := newRig(t)
	r.apply(spec.Threshold{Processes: 1, For: 1})
	r.samples(process.Usage{Processes: 2}, process.Usage{Processes: 1})
	r.expect("+processes -processes")
}

func TestEachThresholdCountsByItself(t *testing.T) {
	r := newRig(t)
	r.apply(memory(100, 1), memory(200, 1))
	r.memory(150, 250, 150, 50)
	r.expect("+memory +memory -memory -memory")
}

func TestNextRunStartsAnew(t *testing.T) {
	r := newRig(t)
	r.apply(memory(400, 3))
	r.memory(450, 450)
	r.run++
	r.memory(450, 450)
	r.expect("")
	r.memory(450)
	r.expect("+memory")
	r.Ended(api, r.run-1) // a former one, told late
	r.expect("")
	r.Ended(api, r.run)
	r.expect("-memory")
	if len(r.Crossed("api")) != 0 {
		t.Error("it is crossed still")
	}
	r.run++
	r.memory(450, 450, 450)
	r.expect("+memory")
	r.run++ // nobody told its end
	r.memory(100)
	r.expect("-memory")
}

func TestChangedThresholdsGoOnWhereTheyAreTheSame(t *testing.T) {
	r := newRig(t)
	r.apply(memory(100, 3), memory(200, 3))
	r.memory(150, 150)
	other := memory(100, 3)
	other.Action.Do = spec.ThresholdRestart
	r.apply(other)
	r.memory(150) // the third, but the first for the new action
	if len(r.events) != 1 || r.events[0].Threshold.Action.Do != spec.ThresholdRestart {
		t.Fatal(r.events)
	}
	r.expect("+memory")
	r.apply(memory(100, 4)) // another question
	r.expect("-memory")
	r.memory(150, 150, 150)
	r.expect("")
}

func TestCrossedThresholdThatIsTakenAwayIsOver(t *testing.T) {
	r := newRig(t)
	r.apply(memory(100, 1), memory(120, 1))
	r.memory(150)
	r.expect("+memory +memory")
	r.apply(memory(120, 1))
	r.expect("-memory")
	if got := r.Crossed("api"); len(got) != 1 || got[0].Limit != 120*mib || got[0].Value != 150*mib || !strings.HasPrefix(got[0].Reason, "memory 150MiB, above 120MiB") {
		t.Errorf("%+v", got)
	}
	r.Forget(api)
	r.expect("-memory")
	r.memory(150)
	r.expect("")
}

func TestOnlyInstancesWithThresholdsAreSampled(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t)
		r.Apply(Key{"none", 1}, "none", nil)
		r.Apply(Key{"full", 1}, "full", []spec.Threshold{{Memory: 1, For: 1}, {Handles: 1, For: 1}})
		r.Apply(Key{"cheap", 1}, "cheap", []spec.Threshold{{CPU: 1, For: 1}})
		r.Apply(Key{"lines", 1}, "lines", []spec.Threshold{{Log: "x", Count: 1, Within: time.Minute}})
		time.Sleep(time.Second)
		synctest.Wait()
		want := map[string]bool{"full": true, "cheap": false}
		if len(r.watched) != 1 || !maps.Equal(r.watched[0], want) {
			t.Errorf("%v", r.watched)
		}
		r.Apply(Key{"full", 1}, "full.1", []spec.Threshold{{Memory: 1, For: 1}}) // another id, as there are more instances now
		r.Forget(Key{"cheap", 1})
		time.Sleep(time.Second)
		synctest.Wait()
		if len(r.watched) != 2 || !maps.Equal(r.watched[1], map[string]bool{"full.1": false}) {
			t.Errorf("%v", r.watched)
		}
		if got := r.IDs(); !slices.Equal(got, []string{"full.1", "lines"}) {
			t.Errorf("%v", got)
		}
	})
}

func TestLeakIsToldOfARun(t *testing.T) {
	r := newRig(t)
	r.apply(spec.Threshold{MemoryGrowth: 50 * mib})
	for n := range 6 * 120 {
		r.memory(200 + int64(n)/6)
	}
	r.mu.Lock()
	reason := fmt.Sprint(r.events[0].Reason)
	r.mu.Unlock()
	r.expect("+memory_growth")
	if want := "memory grows by 60MiB/h, more than 50MiB/h, for 1h: a leak"; reason != want {
		t.Errorf("%q", reason)
	}
	r.run++
	for n := range 6 * 30 { // what the former run had tells nothing of this one
		r.memory(300 + int64(n)/6)
	}
	r.expect("-memory_growth")
}
