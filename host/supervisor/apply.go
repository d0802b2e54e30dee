package supervisor

import (
	"context"
	"errors"
	"time"

	"servicehost/host/journal"
	"servicehost/spec"
)

// ErrSuperseded is returned by a wait for an edit that a newer one took the place of.
var ErrSuperseded = errors.New("a newer edit took the place of this one")

// Applied is how an edit ended.
type Applied struct {
	// Touched are the instances whose target changed, as they stand now; removed ones are not among them.
	Touched []*Snapshot
}

// graceOfChange is how long a changed service has to stay up before an edit counts as carried out: one
// that dies of a bad option does so at once.
const graceOfChange = 300 * time.Millisecond

// Edit is a spec that was handed out and whose steps may still be on their way.
type Edit struct {
	s                  *Supervisor
	number, generation uint64
	changed            <-chan struct{}
	release            func()
}

// Begin makes sp the wanted spec; edits count in the order of these calls. retry names services whose
// rejected spec is tried again. Wait must follow.
func (s *Supervisor) Begin(sp *spec.Spec, retry []string) (*Edit, error) {
	e := &Edit{s: s}
	e.changed, e.release = s.env.watch()
	if err := s.do(func() {
		s.apply(sp, retry)
		e.number, e.generation = s.edit, s.generation
	}); err != nil {
		e.release()
		return nil, err
	}
	return e, nil
}

// Apply is Begin and Wait.
func (s *Supervisor) Apply(ctx context.Context, sp *spec.Spec, retry []string, monitor bool) (Applied, error) {
	e, err := s.Begin(sp, retry)
	if err != nil {
		return Applied{}, err
	}
	return e.Wait(ctx, monitor)
}

// Wait waits until the steps of the edit are done: removed instances are gone, changed ones run, failed
// or went back, new ones were started or wait for others. With monitor it waits, too, until changed
// ones have proved to work, those of an earlier edit among them. It ends with ctx; what was begun goes on.
func (e *Edit) Wait(ctx context.Context, monitor bool) (Applied, error) {
	defer e.release()
	s := e.s
	var out Applied
	err := s.await(ctx, e.changed, func() (bool, error) {
		if s.edit != e.number {
			return false, ErrSuperseded
		}
		if s.stopping {
			return false, ErrStopping
		}
		out.Touched = out.Touched[:0]
		if s.flux || s.removing() {
			return false, nil
		}
		now := time.Now()
		for _, l := range s.order {
			if l.wanted == nil || l.target == nil {
				continue
			}
			if l.target.generation < e.generation && (!monitor || l.inst == nil || !l.inst.snap.Load().Proving) {
				continue
			}
			if !s.settled(l, map[*slot]bool{}) {
				return false, nil
			}
			p := l.inst.snap.Load()
			if p.Proving && p.State == Running && (monitor || now.Sub(p.StartedAt) < graceOfChange) {
				return false, nil
			}
			out.Touched = append(out.Touched, p)
		}
		return true, nil
	})
	return out, err
}

// await calls done on the coordinator goroutine, at every change and now and then, until it reports true.
func (s *Supervisor) await(ctx context.Context, changed <-chan struct{}, done func() (bool, error)) error {
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for {
		var ok bool
		var err error
		if e := s.do(func() { ok, err = done() }); e != nil {
			return e
		}
		if ok || err != nil {
			return err
		}
		select {
		case <-changed:
		case <-tick.C:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// settled reports whether an instance is where its target wants it, or waits for others that are settled.
func (s *Supervisor) settled(l *slot, seen map[*slot]bool) bool {
	if l.inst == nil || l.wanted == nil {
		return l.wanted == nil
	}
	if l.target.spec != l.wanted {
		return s.stalledBy(l) != nil
	}
	p := l.inst.snap.Load()
	if p.busy(l.target) || l.target.gate.turn {
		return false
	}
	if p.State != Waiting || seen[l] {
		return true
	}
	seen[l] = true
	if l.target.gate.open {
		return true // the governor, or a pause
	}
	for name := range l.wanted.DependsOn {
		for _, d := range s.services[name] {
			if d.wanted != nil && !s.settled(d, seen) {
				return false
			}
		}
	}
	return true
}

// apply runs on the coordinator goroutine.
func (s *Supervisor) apply(sp *spec.Spec, retry []string) {
	s.edit++
	s.generation++
	s.host = sp.Host
	s.env.place.Store(&place{name: sp.Host.Name, dir: sp.Dir})
	s.env.configure(sp.Host.Restarts)
	named := map[Key]bool{}
	for _, w := range sp.Services {
		k := keyOf(w)
		named[k] = true
		l := s.slots[k]
		switch {
		case l == nil:
			l = &slot{key: k, wanted: w, edit: s.edit}
			s.slots[k] = l
			l.wish = s.keptWish(k)
			if s.generation > 1 {
				s.env.tell(journal.Event{Kind: journal.ServiceAdded, Service: k.Service, Instance: k.Instance, ID: w.ID})
			}
		case l.wanted != nil && unchanged(l.wanted, w):
			w = l.wanted // the same value: nothing is handed out
		case l.wanted != nil:
			l.edit = s.edit
			s.env.tell(journal.Event{Kind: journal.SpecChanged, Service: k.Service, Instance: k.Instance, ID: w.ID, Reason: whatChanged(l.wanted, w)})
		}
		l.wanted, l.deps = w, w.DependsOn
	}
	for k, l := range s.slots {
		if !named[k] {
			l.wanted = nil
			if l.inst == nil {
				delete(s.slots, k)
			}
		}
	}
	s.reindex()
	for _, name := range retry {
		for _, l := range s.match(name) {
			if l.target != nil {
				t := *l.target
				t.retry++
				s.hand(l, t)
			}
		}
	}
	s.armWishes()
	s.reconcile()
}

// unchanged reports whether two specs of one instance are the same down to their texts.
func unchanged(a, b *spec.Service) bool {
	return a.Hash == b.Hash && a.ID == b.ID && a.Instances == b.Instances && a.Description == b.Description
}
