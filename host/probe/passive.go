package probe

import (
	"fmt"
	"regexp"
	"time"
)

// lineMatch is a log probe that waits for a line.
type lineMatch struct {
	re *regexp.Regexp
	p  *prober
	// pause is how long after a line the next one need not be looked at; 0: one line is all there is to it.
	pause time.Duration
}

// listen finds out what lines of output are of use for. Called with the lock held.
func (w *Watch) listen() {
	var list []lineMatch
	for _, p := range w.probes {
		if p == nil || !p.passive() || p.kind != "log" || p.heart.seen.Load() || p.role == Startup && w.started {
			continue
		}
		m := lineMatch{re: regexp.MustCompile(p.probe.Log), p: p}
		if p.role == Liveness {
			m.pause = p.probe.Period / lineRest
		}
		list = append(list, m)
	}
	if len(list) == 0 || w.stopped.Load() {
		w.lines.Store(nil)
		return
	}
	w.lines.Store(&list)
}

// lineRest is the part of the period in which lines are not looked at after one that matched, so that a service
// which writes much of the same costs little. That much longer a line counts.
const lineRest = 16

// WantsLines reports whether Line has any use just now.
func (w *Watch) WantsLines() bool { return w.lines.Load() != nil }

// Line is told each line of output, without its end. It keeps nothing of it and may be called by several
// goroutines.
func (w *Watch) Line(line []byte) {
	list := w.lines.Load()
	if list == nil {
		return
	}
	for _, m := range *list {
		h := m.p.heart
		switch {
		case m.pause == 0:
			if !h.seen.Load() && m.re.Match(line) {
				w.said(m.p)
			}
		default:
			now := w.clock(time.Now())
			if last := h.beat.Load(); (last == 0 || now-last >= int64(m.pause)) && m.re.Match(line) {
				h.beat.Store(now)
			}
		}
	}
}

// said has a startup or readiness probe judged at once, or when its time has come.
func (w *Watch) said(p *prober) {
	w.set.mu.Lock()
	defer w.set.mu.Unlock()
	if p.heart.seen.Swap(true) || w.stopped.Load() {
		return
	}
	w.listen()
	w.judgeSoon(p)
}

// judgeSoon has a passive prober judged as soon as it may be. Called with the lock held.
func (w *Watch) judgeSoon(p *prober) {
	if p.index >= 0 {
		w.set.plan(p, later(p.first(), time.Now()))
		return
	}
	p.open(time.Now())
}

// allowed is how old the last beat of a liveness may be.
func (p *prober) allowed() time.Duration {
	if p.kind == "log" {
		return p.probe.Period + p.probe.Period/lineRest
	}
	return p.probe.Period
}

// judge answers for a probe that needs not ask. Called with the lock held, when it is due.
func (p *prober) judge(now time.Time) {
	if !p.wanted() {
		return
	}
	if p.role == Liveness {
		p.judgeBeat(now)
		return
	}
	res := result{}
	if !p.heart.seen.Load() {
		res.problem = "no line matched yet"
		if p.kind == "notify" {
			res.problem = "no READY=1 yet"
			if p.watch.told.Stopping {
				res.problem = "the program said STOPPING=1"
			}
		}
		if tooLate(p.late, p.probe.Period) {
			p.discard(now, "it began "+text(p.late)+" late: the machine slept or stood still")
			p.next(now)
			return
		}
	}
	p.settle(now, res)
}

// judgeBeat looks when the last sign of life came: one failure for each period without.
func (p *prober) judgeBeat(now time.Time) {
	h := p.heart
	beat := h.beat.Load()
	if beat > h.base {
		h.base = beat
	}
	if beat != 0 && beat != h.counted {
		h.counted = beat
		p.settle(now, result{})
	}
	age := time.Duration(p.watch.clock(now) - h.base)
	if age < p.allowed() {
		p.watch.set.plan(p, now.Add(p.allowed()-age))
		return
	}
	if tooLate(p.late, p.probe.Period) {
		p.discard(now, "it was looked at "+text(p.late)+" late: the machine slept or stood still")
		h.base = p.watch.clock(now)
		p.watch.set.plan(p, now.Add(p.allowed()))
		return
	}
	what := "line matched"
	if p.kind == "notify" {
		what = "WATCHDOG=1"
	}
	p.settle(now, result{answer: answer{problem: fmt.Sprintf("no %s for %s", what, text(age))}})
	if p.index >= 0 { // not held
		p.watch.set.plan(p, now.Add(p.probe.Period))
	}
}
