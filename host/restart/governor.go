package restart

import (
	"math"
	"time"

	"servicehost/spec"
)

// Governor spreads the automatic restarts of a whole host over time: a token bucket from which each
// restart takes one token, in the order of the calls. It has no goroutine and belongs to one. The
// zero value lets everything pass until Configure is called.
type Governor struct {
	rate   float64 // tokens per second
	burst  float64
	tokens float64 // negative: handed out in advance
	last   time.Time
}

// NewGovernor returns a governor with a full bucket.
func NewGovernor(r spec.Restarts) *Governor {
	g := &Governor{}
	g.Configure(r, time.Time{})
	return g
}

// Configure changes rate and burst from now on. Places that were promised stay promised; a rate of 0
// or less lifts the limit.
func (g *Governor) Configure(r spec.Restarts, now time.Time) {
	fresh := g.rate == 0
	g.refill(now)
	g.rate, g.burst = r.Rate, float64(max(r.Burst, 1))
	if !(g.rate > 0) { // NaN too
		g.rate, g.tokens = 0, 0
		return
	}
	if fresh {
		g.tokens = g.burst
	}
	g.tokens = min(g.tokens, g.burst)
}

// Take books the next place and returns how long to wait for it; 0 means go. Places are given in the
// order of the calls. A place that is not used after all goes back with Return.
func (g *Governor) Take(now time.Time) time.Duration {
	if g.rate == 0 {
		return 0
	}
	g.refill(now)
	g.tokens--
	if g.tokens >= 0 {
		return 0
	}
	wait := math.Ceil(-g.tokens / g.rate * float64(time.Second))
	if wait >= math.MaxInt64 {
		return math.MaxInt64
	}
	return time.Duration(wait)
}

// Return gives back one place that Take booked; those booked later keep their wait.
func (g *Governor) Return() {
	if g.rate != 0 {
		g.tokens = min(g.tokens+1, g.burst)
	}
}

// refill adds what has accrued since the last call. A clock that went back adds nothing.
func (g *Governor) refill(now time.Time) {
	if d := now.Sub(g.last); d > 0 && !g.last.IsZero() {
		g.tokens = min(g.tokens+g.rate*d.Seconds(), g.burst)
	}
	g.last = now
}
