package probe

import (
	"context"
	"sync/atomic"
	"time"

	"servicehost/spec"
)

// prober is one probe of a run. Its fields belong to the lock of the Set, but for beat.
type prober struct {
	watch *Watch
	role  Role
	given spec.Probe // as the spec says it
	probe spec.Probe // with the port and the defaults
	kind  string
	name  string // for reasons: http http://127.0.0.1:8080/ready
	asker asker  // nil: passive
	heart *heart // of a passive one

	index        int // in the heap; -1: not in it
	due          time.Time
	wallDue      time.Time
	late         time.Duration
	queued       bool // due, and no worker has it
	asking       bool
	cancel       context.CancelFunc // of what is being asked
	gen          uint64             // of the question; older answers are dropped
	heir         *prober            // takes its place once what is being asked is over
	held         bool
	done         bool
	passed       bool // it succeeded once in this run
	spread       bool // its phase was chosen
	early        int  // how many tries since the last counted round
	grid         time.Time
	tally        tally
	status       Status
	statusTarget string
}

// heart is what lines of output and messages say to a passive prober, without the lock.
type heart struct {
	beat atomic.Int64 // when, on the clock of the Watch; 0: never
	seen atomic.Bool  // startup and readiness: it was said

	base    int64 // liveness counts from here when there was no beat since
	counted int64 // the last beat that was counted
}

// tally counts answers that are the same in a row.
type tally struct {
	last Result
	run  int
}

// add counts an answer and reports whether as many of its kind came in a row as the probe asks for.
func (t *tally) add(r Result, p spec.Probe) bool {
	if t.last != r {
		t.last, t.run = r, 0
	}
	t.run++
	if r == Success {
		return t.run >= p.SuccessThreshold
	}
	return t.run >= p.FailureThreshold
}

func (p *prober) passive() bool { return p.asker == nil }
func (p *prober) program() bool { return p.kind == "exec" }

// round takes a prober out of its queue and makes the question. Called with the lock held.
func (p *prober) round() *round {
	p.queued, p.asking = false, true
	r := &round{p: p, gen: p.gen, ask: p.asker, timeout: p.probe.Timeout, period: p.probe.Period, late: p.late}
	r.ctx, r.cancel = context.WithCancel(p.watch.ctx)
	p.cancel = r.cancel
	return r
}

// finish takes an answer. Called with the lock held.
func (p *prober) finish(r *round, res result) {
	p.asking, p.cancel = false, nil
	if p.watch.stopped.Load() || p.watch.ctx.Err() != nil {
		return
	}
	now := time.Now()
	if r.gen != p.gen { // it is of no use any more; whoever takes its place may begin
		for p.heir != nil {
			p = p.heir
			p.asking = false
		}
		p.open(now)
		return
	}
	if !p.wanted() {
		return
	}
	if res.problem != "" && res.lost != "" {
		p.discard(now, res.lost)
		p.next(now)
		return
	}
	if res.problem != "" && p.early > 0 { // asked out of turn: only a success counts
		p.again(now, res.nobody)
		return
	}
	p.settle(now, res)
	if res.problem != "" && res.nobody && !p.passed && p.role != Liveness && p.index >= 0 {
		p.grid = p.due
		p.again(now, true)
	}
}

// Where nobody listens yet, a start that takes one second must not last a period of ten: until the first success
// it is tried more often, for a while. These tries count only when they succeed; the service does not see them.
const (
	firstAgain = 50 * time.Millisecond
	againShift = 4 // the pause doubles that often
	againFor   = time.Minute
)

// again plans a try before the next round, or that round. Called with the lock held.
func (p *prober) again(now time.Time, nobody bool) {
	at := now.Add(firstAgain << min(p.early, againShift))
	p.early++
	if !nobody || !at.Before(p.grid) || now.Sub(p.first()) > againFor {
		at, p.early = later(p.grid, now), 0
	}
	p.watch.set.plan(p, at)
}

func (p *prober) discard(now time.Time, why string) {
	p.status.Discarded++
	p.status.Discard = why
	p.early = 0
}

// settle counts an answer, tells what follows and plans the next round. Called with the lock held.
func (p *prober) settle(now time.Time, res result) {
	p.early = 0
	st := &p.status
	st.Rounds++
	st.At, st.Duration, st.Warning = now, res.took, res.warning
	verdict := Success
	if res.problem != "" {
		verdict = Failure
		st.Failed++
		st.Error, st.ErrorAt = p.name+": "+res.problem, now
	}
	st.Result = verdict
	reached := p.tally.add(verdict, p.probe)
	p.next(now)
	if reached {
		p.passed = p.passed || verdict == Success
		p.watch.reached(p, verdict, now)
	}
}

// next plans the round after one that was due at p.due. One that took longer than the period is followed at
// once: rounds never overlap. Called with the lock held.
func (p *prober) next(now time.Time) {
	period := p.probe.Period
	if p.status.Result == Success && !p.spread {
		p.spread = true
		period = time.Duration(float64(period) * (0.25 + 0.75*p.watch.set.opt.Rand()))
	}
	p.watch.set.plan(p, later(p.due.Add(period), now))
}

// ahead is how much before its time a round may begin when the scheduler is awake for another one anyway. To wake
// costs more than a round: the processor, the threads of the runtime and the clock by which it watches them. So rounds
// go together, a few times a second however many there are.
func (p *prober) ahead(woken bool) time.Duration {
	if !woken || !p.spread || p.passive() {
		return 0
	}
	return min(p.probe.Period/20, aheadMost)
}

// aheadMost is for long periods, whose times people look at.
const aheadMost = 500 * time.Millisecond

// first is the earliest moment of a first round.
func (p *prober) first() time.Time { return p.watch.run.Started.Add(p.probe.InitialDelay) }

// wanted reports whether there is anything left to ask just now.
func (p *prober) wanted() bool {
	if p.held || p.done {
		return false
	}
	if p.role == Startup {
		return !p.watch.started
	}
	return p.watch.started && !p.watch.failed
}

// open lets a prober begin, at once or after its initial delay. Called with the lock held.
func (p *prober) open(now time.Time) {
	if p.index >= 0 || p.asking || p.queued || !p.wanted() {
		return
	}
	at := later(p.first(), now)
	if p.passive() && p.role == Liveness {
		p.heart.base = max(p.heart.base, p.watch.clock(at))
		at = at.Add(p.allowed())
	}
	p.watch.set.plan(p, at)
}

// close takes it out of everything: what is being asked is of no use any more. Called with the lock held.
func (p *prober) close() {
	p.gen++
	p.watch.set.unplan(p)
	if p.cancel != nil {
		p.cancel()
	}
}

// snapshot is its status. Called with the lock held.
func (p *prober) snapshot() Status {
	st := p.status
	st.Probe, st.Kind, st.Target = p.role, p.kind, p.statusTarget
	if st.Result == "" {
		st.Result = Unknown
	}
	switch p.tally.last {
	case Success:
		st.Successes = p.tally.run
	case Failure:
		st.Failures = p.tally.run
	case Unknown: // nothing yet
	}
	switch {
	case p.held:
		st.Phase = Held
	case p.done || p.role == Startup && p.watch.started:
		st.Phase = Done
	case p.asking || p.queued:
		st.Phase = Asking
	case p.index >= 0:
		st.Phase, st.Next = Planned, p.due
	default:
		st.Phase = Gated
	}
	return st
}
