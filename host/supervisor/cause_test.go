package supervisor

import (
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"servicehost/host/journal"
	"servicehost/host/process/processtest"
	"servicehost/spec"
)

// causes are those that were told of the ends of the runs of id.
func (r *rig) causes(id string) (out []string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, e := range r.events {
		if c := e.Details[journal.DetailCause]; e.ID == id && (c != "" || e.To == string(Stopping)) {
			out = append(out, c)
		}
	}
	return out
}

func TestStopSaysWhatAnotherRunFollowsFrom(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, processtest.New(), nil)
		r.apply(service("api", limitedTo(512<<20, spec.LimitRestart)))
		settle(20 * time.Second)
		r.do(Act{Verb: Restart, Names: []string{"api"}})
		settle(20 * time.Second)
		r.apply(service("api", limitedTo(512<<20, spec.LimitRestart), arg("2")))
		settle(20 * time.Second)
		r.fake.Hit(r.snap("api").Run, "memory", false)
		settle(2*limitGrace + 2*time.Second)
		r.want("api", Running)
		r.fake.Exit(r.snap("api").Run, 1, "")
		settle(10 * time.Second)
		r.do(Act{Verb: Stop, Names: []string{"api"}})
		settle(time.Second)
		r.want("api", Stopped)
		want := []string{journal.CauseAsked, journal.CauseChange, journal.CauseLimit, ""}
		if got := r.causes("api"); !slices.Equal(got, want) {
			t.Errorf("causes %q, want %q", got, want)
		}
	})
}

func TestSwitchSaysWhatItFollowsFrom(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := beside(t)
		r.apply(service("api", probed, startFirst))
		settle(time.Minute)
		r.begin(service("api", probed, startFirst, arg("new")))
		settle(time.Minute)
		r.do(Act{Verb: Restart, Names: []string{"api"}})
		settle(time.Minute)
		if got, want := r.causes("api"), []string{journal.CauseChange, journal.CauseAsked}; !slices.Equal(got, want) {
			t.Errorf("causes %q, want %q", got, want)
		}
	})
}

func TestStopForAProbeSaysSo(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, processtest.New(), nil)
		r.probes.script = func(_ Watched, say func(time.Duration, HealthChange, string)) {
			say(3*time.Second, StartupFailed, "no answer")
		}
		if _, err := r.sup.Begin(makeSpec(service("api", startup)), nil); err != nil {
			t.Fatal(err)
		}
		settle(4 * time.Second)
		if got, want := r.causes("api"), []string{journal.CauseProbe}; !slices.Equal(got, want) {
			t.Errorf("causes %q, want %q", got, want)
		}
	})
}
