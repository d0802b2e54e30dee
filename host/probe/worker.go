package probe

import (
	"context"
	"sync/atomic"
	"time"
)

// round is one question that is being asked.
type round struct {
	p       *prober
	ctx     context.Context
	cancel  context.CancelFunc
	gen     uint64
	ask     asker
	timeout time.Duration
	period  time.Duration
	late    time.Duration // how much later than planned it began, by whichever clock says more
}

// result is what came of a round.
type result struct {
	answer
	took time.Duration
	// lost says why the answer says nothing about the service: the machine slept, or the host itself stood still.
	lost string
}

// asker puts one question. ctx ends at the timeout, which is given to be named; an answer that comes later is
// none.
type asker interface {
	ask(ctx context.Context, timeout time.Duration) answer
}

// answer is what was found.
type answer struct {
	problem string // empty: a success
	warning string // of a success
	// nobody tells that there was no one to ask yet: the service has not even seen the question.
	nobody bool
}

// begin queues a prober whose time has come, or judges it at once when nothing needs to be asked. Called with
// the lock held.
func (s *Set) begin(p *prober, now time.Time) {
	p.late = max(now.Sub(p.due), s.wall().Sub(p.wallDue))
	if p.passive() {
		p.judge(now)
		return
	}
	if p.asking || p.queued {
		return // its answer plans the next round
	}
	p.queued = true
	if p.program() {
		s.programs = append(s.programs, p)
	} else {
		s.network = append(s.network, p)
	}
}

// dispatch has workers ask what is due. Called with the lock held.
func (s *Set) dispatch() {
	for s.busy < s.opt.Workers && !s.closed {
		r := s.take()
		if r == nil {
			return
		}
		s.busy++
		s.done.Go(func() { s.work(r) })
	}
}

// take is the next round to ask, nil where there is none that may run now. Called with the lock held.
func (s *Set) take() *round {
	pass := func(queue *[]*prober) *prober {
		for len(*queue) > 0 && !(*queue)[0].queued {
			*queue = (*queue)[1:]
		}
		if len(*queue) == 0 {
			*queue = nil
			return nil
		}
		return (*queue)[0]
	}
	a, b := pass(&s.network), pass(&s.programs)
	if s.running >= s.opt.Programs {
		b = nil
	}
	var p *prober
	switch {
	case a == nil && b == nil:
		return nil
	case b == nil || a != nil && !b.due.Before(a.due):
		p = a
		s.network = s.network[1:]
	default:
		p = b
		s.programs = s.programs[1:]
		s.running++
	}
	return p.round()
}

// work asks one round after the other until none is due.
func (s *Set) work(r *round) {
	for r != nil {
		program := r.p.program()
		res := s.carryOut(r)
		s.mu.Lock()
		if program {
			s.running--
		}
		r.p.finish(r, res)
		r = nil
		if !s.closed {
			r = s.take()
		}
		if r == nil {
			s.busy--
		}
		s.mu.Unlock()
	}
}

// carryOut asks and looks whether time went on meanwhile as it should.
func (s *Set) carryOut(r *round) (res result) {
	ctx, cancel := context.WithTimeout(r.ctx, r.timeout)
	defer cancel()
	defer r.cancel()
	var fired atomic.Int64 // how late the timeout was noticed
	began, wall := time.Now(), s.wall()
	if r.p.program() { // the end of its tree may take longer than its timeout
		stop := context.AfterFunc(ctx, func() { fired.Store(int64(time.Since(began) - r.timeout)) })
		defer stop()
	}
	res.answer = r.ask.ask(ctx, r.timeout)
	res.took = time.Since(began)
	res.lost = lostText(r, res.took, s.wall().Sub(wall), time.Duration(fired.Load()))
	return res
}
