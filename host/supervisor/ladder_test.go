package supervisor

import (
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"servicehost/host/journal"
	"servicehost/host/process"
	"servicehost/host/process/processtest"
	"servicehost/spec"
)

// stairs is a service on its stop ladder, and what was asked of the backend when.
type stairs struct {
	*rig
	mu    sync.Mutex
	begin time.Time
	steps []string
}

// climbing runs a service that survives every step, but those that the answers leave to behavior.
func climbing(t *testing.T, stop spec.Stop, b processtest.Behavior, answer func(do string) error) *stairs {
	fake := processtest.New()
	s := &stairs{}
	fake.Behave = func(process.RunID, process.Request) processtest.Behavior { return b }
	fake.Step = func(_ process.RunID, do string) error {
		s.mu.Lock()
		s.steps = append(s.steps, fmt.Sprintf("%s %v", do, time.Since(s.begin)))
		s.mu.Unlock()
		return answer(do)
	}
	s.rig = newRig(t, fake, nil)
	s.apply(service("api", func(v *spec.Service) { v.Stop = stop }))
	s.begin = time.Now()
	return s
}

// stop stops the service and returns how long that took and what was asked.
func (s *stairs) stop() (time.Duration, []string) {
	s.t.Helper()
	s.do(Act{Verb: Stop, Names: []string{"api"}})
	took := time.Since(s.begin)
	s.want("api", Stopped)
	s.mu.Lock()
	defer s.mu.Unlock()
	return took, slices.Clone(s.steps)
}

func failing(steps ...string) func(string) error {
	return func(do string) error {
		if slices.Contains(steps, do) {
			return &process.Error{Kind: process.ErrUnsupported, Message: "there is nothing for " + do}
		}
		return nil
	}
}

func TestEveryStepHasItsTime(t *testing.T) {
	deaf := processtest.Behavior{IgnoreStop: true}
	for name, c := range map[string]struct {
		stop  spec.Stop
		fail  []string
		steps []string
		took  time.Duration
	}{
		"own times": {
			spec.Stop{Timeout: 20 * time.Second, Steps: []spec.Step{{Do: "ctrl_c", Timeout: 3 * time.Second}, {Do: "ctrl_break", Timeout: 4 * time.Second}, {Do: "stdin_close"}}}, nil,
			[]string{"ctrl_c 0s", "ctrl_break 3s", "stdin_close 7s"}, 20 * time.Second,
		},
		"a close ends in the message loops": {
			spec.Stop{Timeout: 20 * time.Second, Steps: []spec.Step{{Do: "close", Timeout: 4 * time.Second}, {Do: "ctrl_c", Timeout: 2 * time.Second}}}, nil,
			[]string{"close 0s", "wm_quit 2s", "ctrl_c 4s"}, 6 * time.Second,
		},
		"the rest is shared": {
			spec.Stop{Timeout: 30 * time.Second, Steps: []spec.Step{{Do: "ctrl_c"}, {Do: "ctrl_break"}, {Do: "stdin_close", Timeout: 10 * time.Second}}}, nil,
			[]string{"ctrl_c 0s", "ctrl_break 10s", "stdin_close 20s"}, 30 * time.Second,
		},
		"a console program under the steps of everybody": {
			spec.Stop{Timeout: 30 * time.Second, Steps: []spec.Step{{Do: "ctrl_c"}, {Do: "close"}}}, []string{"close"},
			[]string{"ctrl_c 0s", "close 15s"}, 30 * time.Second,
		},
		"a program with a window under the steps of everybody": {
			spec.Stop{Timeout: 30 * time.Second, Steps: []spec.Step{{Do: "ctrl_c"}, {Do: "close"}}}, []string{"ctrl_c"},
			[]string{"ctrl_c 0s", "close 0s", "wm_quit 15s"}, 30 * time.Second,
		},
		"nothing works": {
			spec.Stop{Timeout: 30 * time.Second, Steps: []spec.Step{{Do: "ctrl_c"}, {Do: "close"}}}, []string{"ctrl_c", "close"},
			[]string{"ctrl_c 0s", "close 0s"}, 0,
		},
		"the last fails behind one with a time of its own": {
			spec.Stop{Timeout: 30 * time.Second, Steps: []spec.Step{{Do: "ctrl_c", Timeout: 5 * time.Second}, {Do: "close"}}}, []string{"close"},
			[]string{"ctrl_c 0s", "close 5s"}, 5 * time.Second,
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := climbing(t, c.stop, deaf, failing(c.fail...))
				took, steps := s.stop()
				if took != c.took || !slices.Equal(steps, c.steps) {
					t.Errorf("%v after %v, want %v after %v", steps, took, c.steps, c.took)
				}
				if n := s.count("api", journal.Warning); n != len(c.fail) {
					t.Errorf("%d steps failed, %d warnings", len(c.fail), n)
				}
				if n := s.count("api", journal.Killed); n != 1 {
					t.Errorf("killed %d times", n)
				}
			})
		})
	}
}

func TestSlowConsoleProgramMayUseTheWholeTimeout(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		stop := spec.Stop{Timeout: 30 * time.Second, Steps: []spec.Step{{Do: "ctrl_c"}, {Do: "close"}}}
		s := climbing(t, stop, processtest.Behavior{StopAfter: 25 * time.Second}, failing("close"))
		if took, _ := s.stop(); took != 25*time.Second || s.count("api", journal.Killed) != 0 {
			t.Errorf("the stop took %v, states %v", took, s.states("api"))
		}
	})
}

// A step may hang as long as it likes: the ladder goes on, and the host still answers.
func TestHangingStepHoldsNothingUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		stop := spec.Stop{Timeout: 10 * time.Second, Steps: []spec.Step{{Do: "ctrl_c", Timeout: 2 * time.Second}, {Do: "ctrl_break", Timeout: 2 * time.Second}}}
		s := climbing(t, stop, processtest.Behavior{IgnoreStop: true}, func(string) error {
			time.Sleep(time.Minute)
			return &process.Error{Kind: process.ErrOther, Message: "the helper did not answer"}
		})
		if took, steps := s.stop(); took != 4*time.Second || len(steps) != 2 {
			t.Errorf("%v after %v", steps, took)
		}
		settle(2 * time.Minute) // what the steps of a run say that is gone interests nobody
		if n := s.count("api", journal.Warning); n != 0 {
			t.Errorf("%d warnings", n)
		}
	})
}

func TestFailedStepIsTold(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		stop := spec.Stop{Timeout: 10 * time.Second, Steps: []spec.Step{{Do: "close"}, {Do: "ctrl_c"}}}
		s := climbing(t, stop, processtest.Behavior{}, failing("close"))
		s.stop()
		s.rig.mu.Lock()
		defer s.rig.mu.Unlock()
		if !slices.ContainsFunc(s.events, func(e journal.Event) bool {
			return e.Kind == journal.Warning && strings.Contains(e.Reason, `stop step close of service "api" did not work: there is nothing for close`)
		}) {
			t.Errorf("events %+v", s.events)
		}
	})
}
