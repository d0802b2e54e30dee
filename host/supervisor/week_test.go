package supervisor

import (
	"fmt"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"servicehost/host/journal"
	"servicehost/host/process"
	"servicehost/host/process/processtest"
	"servicehost/spec"
)

// TestAWeekLeavesNothingBehind runs twenty services for a week: each hour one crashes, one is not ready for a while
// and one is told of a change, twice a day there is a good rollout and a bad one, half of them by start_first, and four
// jobs run each hour.
func TestAWeekLeavesNothingBehind(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		fake := processtest.New()
		fake.Behave = func(_ process.RunID, q process.Request) processtest.Behavior {
			if slices.Contains(q.Args, "job") {
				return processtest.Behavior{ExitAfter: time.Minute}
			}
			return processtest.Behavior{Rereads: true}
		}
		var told hung
		fake.Beside, fake.Step = true, told.step
		r := newRig(t, fake, nil)
		r.probes.script = readyAfter(time.Second)
		const services, jobs, days = 16, 4, 7
		version, files := make([]string, services), make([]string, services)
		all := func() (out []*spec.Service) {
			for n := range services {
				out = append(out, service(fmt.Sprintf("s%02d", n), probed, arg(version[n]), config(files[n], hangup), func(s *spec.Service) {
					if s.Update.Timeout = time.Minute; n%2 == 0 {
						startFirst(s)
					}
					if n%4 != 0 {
						needs(spec.ConditionHealthy, fmt.Sprintf("s%02d", n-1))(s)
					}
				}))
			}
			for n := range jobs {
				out = append(out, job(fmt.Sprintf("t%02d", n), arg("job"), func(s *spec.Service) { s.Schedule.Cron = "30 * * * *" }))
			}
			return out
		}
		r.apply(all()...)
		settle(10 * time.Minute)
		for hour := range days * 24 {
			fake.Exit(r.snap(fmt.Sprintf("s%02d", hour%services)).Run, 1, "")
			v := r.probes.of(fmt.Sprintf("s%02d", (hour+7)%services))
			v.say(BecameNotReady, "busy")
			settle(5 * time.Minute)
			v.say(BecameReady, "")
			settle(10 * time.Minute)
			files[(hour+3)%services] = fmt.Sprint(hour)
			r.apply(all()...)
			if n := hour % services; hour%12 == 0 {
				version[n] = fmt.Sprint(hour)
				r.apply(all()...)
			} else if hour%12 == 6 {
				was := version[n]
				version[n] = "bad"
				r.apply(all()...)
				settle(10 * time.Minute)
				if p := r.want(fmt.Sprintf("s%02d", n), Running); p.SpecState != SpecRolledBack || p.Health != HealthHealthy {
					t.Fatalf("hour %d: %s is %s, %s", hour, p.ID, p.SpecState, p.Health)
				}
				version[n] = was
				r.apply(all()...)
			}
			settle(time.Hour - time.Duration(time.Now().Minute()-10)*time.Minute)
		}
		for n := range services {
			if p := r.want(fmt.Sprintf("s%02d", n), Running); p.Health != HealthHealthy || p.SpecState != SpecApplied {
				t.Errorf("%s is %s, %s", p.ID, p.Health, p.SpecState)
			}
		}
		crashes, back := 0, 0
		for n := range services {
			id := fmt.Sprintf("s%02d", n)
			back += r.count(id, journal.RolledBack)
			r.mu.Lock()
			for _, e := range r.events {
				if e.ID == id && e.To == string(Backoff) {
					crashes++
				}
			}
			r.mu.Unlock()
		}
		if crashes != days*24 || back != days*2 {
			t.Errorf("%d crashes and %d rollbacks, want %d and %d", crashes, back, days*24, days*2)
		}
		for n := range jobs {
			id := fmt.Sprintf("t%02d", n)
			p := r.snap(id)
			if c := r.count(id, journal.ProcessExited); c < days*24 || c > days*24+1 || len(p.Runs) != maxJobRuns {
				t.Errorf("%s ran %d times, %d are remembered", id, c, len(p.Runs))
			}
		}
		if n := len(told.runs); n != days*24 {
			t.Errorf("%d times one was told of a change, want %d", n, days*24)
		}
		if n := len(fake.List()); n != services {
			t.Errorf("the backend holds %d runs, want %d", n, services)
		}
		if n := len(r.sup.env.tasks.waiting); n != 0 {
			t.Errorf("%d errands are waited for", n)
		}
		if n := len(r.store.Keys("")); n > 3*(services+jobs) {
			t.Errorf("%d records are kept", n)
		}
		for _, i := range r.sup.list {
			if n := len(i.restart.History); n > i.spec.Restart.Limit {
				t.Errorf("%s remembers %d restarts", i.key, n)
			}
			if len(i.box.calls)+len(i.box.events) != 0 {
				t.Errorf("%s has mail", i.key)
			}
		}
		for _, l := range r.sup.order {
			if len(l.runs) > len(l.deps) {
				t.Errorf("%s remembers runs of %d others", l.key, len(l.runs))
			}
		}
	})
}
