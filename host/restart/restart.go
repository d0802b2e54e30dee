// Package restart decides what follows the end of a run. It is arithmetic: an exit and the time go
// in, a decision with its reason comes out. It starts nothing and waits for nothing.
package restart

import (
	"fmt"
	"math"
	"time"

	"servicehost/host/human"
	"servicehost/spec"
)

// Exit is what is known about a run that ended.
type Exit struct {
	// Success reports whether it ended the way its spec calls a success.
	Success bool
	// Text says how it ended: "exit 3", "SIGKILL", "start failed: …".
	Text string
	// Uptime is how long it ran, Healthy for how long it was running and healthy.
	Uptime  time.Duration
	Healthy time.Duration
	// StartFailed is set where no process came to be.
	StartFailed bool
	// Forced asks for a restart that the policy has no say in: max_runtime, lost liveness, a
	// dependency. A forced restart of a run that ended with Success is a planned one, which is
	// neither delayed nor counted; without Success (lost liveness) it is delayed and counted.
	Forced bool
}

// Action is what follows.
type Action string

// The actions: start again after Delay, done, or given up.
const (
	Restart Action = "restart"
	Exited  Action = "exited"
	Failed  Action = "failed"
)

// Decision is what follows and why.
type Decision struct {
	Action Action
	// Delay before the restart; 0 means at once.
	Delay time.Duration
	// Reason in plain words: exit 3 after 1.2s, next try in 8s.
	Reason string
	// RetryAfter, with Failed, is when it is tried again; 0 means only by hand.
	RetryAfter time.Duration
}

// State is what is remembered between the runs of one instance. The zero value is a fresh start.
// It is kept on disk as JSON and belongs to one goroutine.
type State struct {
	// Attempt counts the restarts since the delay last started anew.
	Attempt int `json:"attempt,omitempty"`
	// History holds the automatic restarts within the window, oldest first, never more than limit.
	History []time.Time `json:"history,omitempty"`
	// HalfOpen is set between a crash loop and the first run after it that lasted: such a run is
	// one try, and when it ends before reset_after the service has failed again at once.
	HalfOpen bool `json:"half_open,omitempty"`
}

// Reset forgets everything: an operator or a new spec starts the instance.
func (s *State) Reset() { *s = State{} }

// Decide says what follows the exit e at now and remembers it. rnd returns numbers in [0,1) for the
// jitter; nil means no jitter.
//
// A run that was healthy for reset_after starts the delay anew, but its restart still counts against
// limit. The limit is spent when limit restarts lie within window and one more is due; then the
// answer is Failed with retry_after. The one try after that pause decides: lasting reset_after it
// clears the slate, ending sooner it is Failed again. A failure that policy "no" leaves is final:
// it has no RetryAfter.
func (s *State) Decide(p spec.Restart, now time.Time, e Exit, rnd func() float64) Decision {
	how := e.describe()
	lasted := !e.StartFailed && e.Healthy >= p.ResetAfter
	if lasted {
		s.Attempt = 0
		if s.HalfOpen {
			s.HalfOpen, s.History = false, nil
		}
	}
	switch {
	case e.Forced && e.Success:
		return Decision{Action: Restart, Reason: how + ", restarted at once"}
	case e.Forced || p.Policy == spec.RestartAlways:
	case e.Success:
		s.Reset()
		return Decision{Action: Exited, Reason: how}
	case p.Policy != spec.RestartOnFailure:
		s.Reset()
		return Decision{Action: Failed, Reason: how + ", not restarted (restart: no)"}
	}
	if d, spent := s.spent(p, now, how); spent {
		return d
	}
	if p.Limit > 0 && p.Window > 0 {
		s.History = append(s.History, now.Round(0))
	}
	d := Delay(p, s.Attempt, rnd)
	if s.Attempt < math.MaxInt32 {
		s.Attempt++
	}
	return Decision{Action: Restart, Delay: d, Reason: how + next(d, e.Success)}
}

// spent reports whether no restart is left, with the decision that follows.
func (s *State) spent(p spec.Restart, now time.Time, how string) (Decision, bool) {
	s.trim(p, now)
	var why string
	switch {
	case p.Limit <= 0 || p.Window <= 0:
		// The limit may have been lifted while the service was waiting for its one try.
		s.HalfOpen = false
		return Decision{}, false
	case s.HalfOpen:
		why = "crash loop: the try after a pause ended too"
	case len(s.History) >= p.Limit:
		why = fmt.Sprintf("crash loop: %d %s in %s", p.Limit, plural(p.Limit, "restart"), human.Duration(p.Window))
	default:
		return Decision{}, false
	}
	d := Decision{Action: Failed, Reason: why + " (last: " + how + ")"}
	if p.RetryAfter > 0 {
		d.RetryAfter = p.RetryAfter
		d.Reason += "; tried again in " + human.Duration(p.RetryAfter)
		s.HalfOpen = true
	} else {
		d.Reason += "; not tried again until it is started by hand"
		s.HalfOpen = false
	}
	s.Attempt = 0
	return d, true
}

// trim drops what the window no longer holds, and what a clock that was set back left in the future.
func (s *State) trim(p spec.Restart, now time.Time) {
	kept := s.History[:0]
	for _, t := range s.History {
		if age := now.Sub(t); age >= 0 && age < p.Window {
			kept = append(kept, t)
		}
	}
	if over := len(kept) - max(p.Limit, 0); over > 0 {
		kept = append(kept[:0], kept[over:]...)
	}
	clear(s.History[len(kept):])
	s.History = kept
}

// Delay is the pause before restart number attempt (from 0): delay * factor^attempt, at most
// max_delay (0: a day), spread by jitter to both sides. It never overflows.
func Delay(p spec.Restart, attempt int, rnd func() float64) time.Duration {
	if p.Delay <= 0 {
		return 0
	}
	most := p.MaxDelay
	if most <= 0 {
		most = 24 * time.Hour
	}
	d := float64(p.Delay)
	if p.Factor > 1 {
		d *= math.Pow(p.Factor, float64(max(attempt, 0)))
	}
	d = min(d, float64(most))
	if j := p.Jitter; rnd != nil && j > 0 {
		d *= 1 + min(j, 1)*(2*rnd()-1)
	}
	// float64(MaxInt64) rounds up, so the comparison has to exclude it.
	if d >= math.MaxInt64 {
		return math.MaxInt64
	}
	return time.Duration(max(d, 0))
}

func (e Exit) describe() string {
	text := e.Text
	switch {
	case text == "" && e.StartFailed:
		text = "start failed"
	case text == "":
		text = "ended"
	}
	if e.StartFailed {
		return text
	}
	return text + " after " + human.Duration(e.Uptime)
}

func next(d time.Duration, success bool) string {
	switch {
	case d == 0 && success:
		return ", started again at once"
	case d == 0:
		return ", tried again at once"
	case success:
		return ", next start in " + human.Duration(d)
	}
	return ", next try in " + human.Duration(d)
}

func plural(n int, word string) string {
	if n == 1 {
		return word
	}
	return word + "s"
}
