package supervisor

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"servicehost/host/journal"
	"servicehost/host/process"
	"servicehost/host/process/processtest"
	"servicehost/host/requires"
	"servicehost/spec"
)

// job is scheduled each minute of UTC. Fake time begins at midnight.
func job(name string, change ...func(*spec.Service)) *spec.Service {
	return service(name, append([]func(*spec.Service){func(s *spec.Service) {
		s.Type, s.Restart.Policy = spec.TypeScheduled, spec.RestartNo
		s.Schedule = spec.Schedule{Cron: "* * * * *", Timezone: "UTC", Overlap: spec.OverlapSkip}
	}}, change...)...)
}

func overlap(o spec.Overlap) func(*spec.Service) {
	return func(s *spec.Service) { s.Schedule.Overlap = o }
}

// jobs is a backend whose runs take so long and end with the code.
func jobs(d time.Duration, code int) *processtest.Fake {
	fake := processtest.New()
	fake.Behave = func(process.RunID, process.Request) processtest.Behavior {
		return processtest.Behavior{ExitAfter: d, Code: code}
	}
	return fake
}

func TestScheduledServiceRunsWhenItIsDue(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		fake := jobs(5*time.Second, 0)
		r := newRig(t, fake, nil)
		r.apply(job("clean"))
		settle(30 * time.Second)
		p := r.want("clean", Waiting)
		if n := len(fake.Starts()); n != 0 || p.NextTry.Second() != 0 || time.Until(p.NextTry) != 30*time.Second || !strings.HasPrefix(p.Reason, "next run at ") {
			t.Errorf("%d runs, next %v: %q", n, p.NextTry, p.Reason)
		}
		settle(32 * time.Second)
		r.want("clean", Running)
		settle(10*time.Minute + 10*time.Second)
		p = r.want("clean", Waiting)
		if n := len(fake.Starts()); n != 11 || len(p.Runs) != 11 || !p.Runs[0].Success || p.Runs[0].Duration != 5*time.Second || p.LastExit == nil {
			t.Errorf("%d runs, remembered %+v", n, p.Runs)
		}
		r.do(Act{Verb: Stop, Names: []string{"clean"}})
		settle(10 * time.Minute)
		r.want("clean", Stopped)
		if n := len(fake.Starts()); n != 11 {
			t.Errorf("%d runs although it was stopped", n)
		}
		if out := r.do(Act{Verb: Start, Names: []string{"clean"}}); !out[0].OK {
			t.Errorf("start: %+v", out[0])
		}
		settle(time.Minute)
		if n := len(fake.Starts()); n != 12 {
			t.Errorf("%d runs after it was started again, want 12", n)
		}
	})
}

func TestFailedJobShowsItAndIsDueAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		fake := jobs(time.Second, 3)
		r := newRig(t, fake, nil)
		r.apply(job("clean"))
		settle(62 * time.Second)
		p := r.want("clean", Failed)
		if time.Until(p.NextTry) != 58*time.Second || len(p.Runs) != 1 || p.Runs[0].Success || p.ForGood {
			t.Errorf("next %v, runs %+v", p.NextTry, p.Runs)
		}
		settle(time.Minute)
		if n := len(fake.Starts()); n != 2 {
			t.Errorf("%d runs", n)
		}
	})
}

func TestJobIsTriedAgainByItsPolicy(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		fake := jobs(time.Second, 3)
		r := newRig(t, fake, nil)
		r.apply(job("clean", func(s *spec.Service) {
			s.Schedule.Cron = "0 * * * *"
			s.Restart.Policy, s.Restart.Limit = spec.RestartOnFailure, 2
		}))
		settle(3*time.Hour + 30*time.Minute)
		r.want("clean", Failed)
		if n := len(fake.Starts()); n != 9 {
			t.Errorf("%d runs, want 3 times 1 and 2 more tries", n)
		}
	})
}

func TestOverlapOfJobs(t *testing.T) {
	for o, want := range map[spec.Overlap]struct{ starts, skipped int }{
		spec.OverlapSkip:    {5, 5},
		spec.OverlapQueue:   {7, 3},
		spec.OverlapReplace: {10, 0},
	} {
		t.Run(string(o), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				fake := jobs(95*time.Second, 0)
				r := newRig(t, fake, nil)
				r.apply(job("clean", overlap(o)))
				settle(10*time.Minute + 35*time.Second)
				if n, k := len(fake.Starts()), r.count("clean", journal.Skipped); n != want.starts || k != want.skipped {
					t.Errorf("%d runs, %d left out, want %+v", n, k, want)
				}
			})
		})
	}
}

func TestHungJobDoesNotBlockTheSchedule(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		fake := processtest.New()
		fake.Behave = func(process.RunID, process.Request) processtest.Behavior {
			return processtest.Behavior{IgnoreStop: true}
		}
		r := newRig(t, fake, nil)
		r.apply(job("clean", func(s *spec.Service) { s.MaxRuntime, s.Stop.Timeout = 3*time.Minute, 10*time.Second }))
		settle(30 * time.Minute)
		p := r.snap("clean")
		if n := len(fake.Starts()); n < 6 || len(p.Runs) < 6 || p.Runs[0].Success {
			t.Errorf("%d runs in half an hour: %+v", n, p.Runs)
		}
	})
}

func TestMissedRunIsCaughtUpOnce(t *testing.T) {
	for _, catchUp := range []bool{true, false} {
		synctest.Test(t, func(t *testing.T) {
			daily := job("clean", func(s *spec.Service) { s.Schedule.Cron, s.Schedule.CatchUp = "0 3 * * *", catchUp })
			r := newRig(t, jobs(time.Second, 0), nil)
			r.apply(daily)
			settle(time.Hour)
			r.sup.Shutdown(context.Background(), time.Minute)
			time.Sleep(3 * 24 * time.Hour)
			again := newRig(t, jobs(time.Second, 0), r.store)
			again.apply(daily)
			settle(time.Minute)
			want := 0
			if catchUp {
				want = 1
			}
			if n := len(again.fake.Starts()); n != want {
				t.Errorf("catch_up %v: %d runs at the start", catchUp, n)
			}
			settle(24 * time.Hour)
			if n := len(again.fake.Starts()); n != want+1 {
				t.Errorf("catch_up %v: %d runs a day later", catchUp, n)
			}
		})
	}
}

func TestJitterDelaysButKeepsTheSchedule(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		fake := jobs(time.Second, 0)
		r := newRig(t, fake, nil)
		r.apply(job("clean", func(s *spec.Service) { s.Schedule.Jitter = 30 * time.Second }))
		settle(20 * time.Minute)
		settle(40 * time.Second)
		p := r.snap("clean")
		late := false
		for _, run := range p.Runs {
			late = late || run.StartedAt.Second() != 0
			if run.StartedAt.Second() > 30 {
				t.Errorf("%v is too late", run.StartedAt)
			}
		}
		if len(p.Runs) != 20 || !late {
			t.Errorf("%d runs, some late: %v", len(p.Runs), late)
		}
	})
}

func TestRunNow(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		fake := jobs(5*time.Second, 0)
		r := newRig(t, fake, nil)
		r.apply(job("clean"), service("migrate", oneshot), service("api"))
		settle(10 * time.Second)
		if out := r.do(Act{Verb: RunNow, Names: []string{"clean", "migrate"}}); !out[0].OK || !out[1].OK {
			t.Errorf("%+v", out)
		}
		if p := r.want("clean", Running); p.Reason != "" {
			t.Logf("reason %q", p.Reason)
		}
		var refused *JobError
		if _, err := r.sup.Do(context.Background(), Act{Verb: RunNow, Names: []string{"clean"}, Actor: "tester"}); !errors.As(err, &refused) || !strings.Contains(err.Error(), "its former run is not over") {
			t.Errorf("error %v", err)
		}
		if _, err := r.sup.Do(context.Background(), Act{Verb: RunNow, Names: []string{"api"}, Actor: "tester"}); !errors.As(err, &refused) {
			t.Errorf("error %v", err)
		}
		settle(20 * time.Second)
		p := r.want("clean", Waiting)
		if len(p.Runs) != 1 || p.Runs[0].By != "tester" {
			t.Errorf("runs %+v", p.Runs)
		}
		if got := r.snap("migrate").Runs; len(got) != 2 {
			t.Errorf("runs of the oneshot %+v", got)
		}
		r.do(Act{Verb: Stop, Names: []string{"clean"}})
		if _, err := r.sup.Do(context.Background(), Act{Verb: RunNow, Names: []string{"clean"}, Actor: "tester"}); !errors.As(err, &refused) || !strings.Contains(err.Error(), "stopped by tester") {
			t.Errorf("error %v", err)
		}
	})
}

func TestEditLeavesARunningJobAlone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		fake := jobs(30*time.Second, 0)
		r := newRig(t, fake, nil)
		r.apply(job("clean"))
		settle(70 * time.Second)
		first := r.want("clean", Running)
		begin := time.Now()
		r.apply(job("clean", arg("new"), func(s *spec.Service) { s.Schedule.Cron = "*/5 * * * *" }))
		if p := r.want("clean", Running); p.PID != first.PID || time.Since(begin) > time.Second {
			t.Errorf("it took %v, and the process is %d", time.Since(begin), p.PID)
		}
		settle(40 * time.Second)
		p := r.want("clean", Waiting)
		if time.Until(p.NextTry) > 5*time.Minute || p.NextTry.Minute()%5 != 0 {
			t.Errorf("next %v", p.NextTry)
		}
		settle(4 * time.Minute)
		if p := r.snap("clean"); len(fake.Starts()) != 2 || !slices.Contains(p.Spec.Command, "new") {
			t.Errorf("%d runs, the last with %v", len(fake.Starts()), p.Spec.Command)
		}
	})
}

// A retry that waits for what it requires is given up for the schedule when an operator starts the job; the look that
// is on its way then holds up nothing, and costs nothing.
func TestStartOfAJobThatLooksForWhatItRequires(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, jobs(50*time.Second, 1), nil)
		var slow atomic.Bool
		r.sup.env.require = func(ctx context.Context, _ spec.Requires, _ requires.Env) []requires.Unmet {
			if slow.Load() {
				select {
				case <-time.After(20 * time.Second):
				case <-ctx.Done():
				}
			}
			return nil
		}
		r.apply(job("clean", func(s *spec.Service) {
			s.Restart.Policy, s.Requires.Files = spec.RestartOnFailure, []string{"now and then"}
		}))
		settle(time.Minute)
		r.want("clean", Running)
		slow.Store(true)
		settle(55 * time.Second)
		if p := r.want("clean", Waiting); p.Reason != "looks for what it requires" {
			t.Fatalf("it waits: %s", p.Reason)
		}
		if _, err := r.sup.Do(t.Context(), Act{Verb: Start, Names: []string{"clean"}, Actor: "tester", NoWait: true}); err != nil {
			t.Fatal(err)
		}
		settle(time.Second)
		if p := r.want("clean", Waiting); !strings.HasPrefix(p.Reason, "next run at") {
			t.Errorf("it waits: %s", p.Reason)
		}
		settle(40 * time.Second)
		r.want("clean", Running)
	})
}

// TestJobThatBecomesAServiceStarts: an edit makes a service of a job while its last run goes on. Whatever that run
// comes to, what follows is the service's.
func TestJobThatBecomesAServiceStarts(t *testing.T) {
	for name, code := range map[string]int{"the run succeeds": 0, "the run fails": 3} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				fake := processtest.New()
				fake.Behave = func(_ process.RunID, r process.Request) processtest.Behavior {
					if slices.Contains(r.Args, "serve") {
						return processtest.Behavior{}
					}
					return processtest.Behavior{ExitAfter: 30 * time.Second, Code: code}
				}
				w := newWorld()
				w.takes = time.Second
				r := w.rig(t, fake)
				r.apply(job("clean", func(s *spec.Service) { s.Restart.Policy, s.Schedule.Cron = spec.RestartOnFailure, "0 * * * *" }))
				settle(time.Hour + 5*time.Second)
				r.want("clean", Running)
				r.apply(service("clean", arg("serve"), requiring("a")))
				settle(time.Minute)
				if p := r.want("clean", Running); p.Spec.Type != spec.TypeService || len(fake.Starts()) != 2 {
					t.Errorf("it runs as a %s after %d starts", p.Spec.Type, len(fake.Starts()))
				}
			})
		})
	}
}

// TestScheduleThatComesBackIsNewlyPlanned: what was due while it was no job is not run for.
func TestScheduleThatComesBackIsNewlyPlanned(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		fake := processtest.New()
		r := newRig(t, fake, nil)
		daily := job("clean", func(s *spec.Service) { s.Schedule.Cron, s.Schedule.CatchUp = "0 3 * * *", true })
		r.apply(daily)
		r.apply(service("clean"))
		r.want("clean", Running)
		settle(48 * time.Hour)
		r.apply(daily)
		settle(time.Minute)
		if p := r.want("clean", Waiting); len(fake.Starts()) != 1 || time.Until(p.NextTry) < time.Hour {
			t.Errorf("%d starts, next try in %v", len(fake.Starts()), time.Until(p.NextTry))
		}
	})
}
