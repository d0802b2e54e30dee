package supervisor

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"servicehost/host/journal"
	"servicehost/spec"
)

// Verb is what an operator can ask of instances.
type Verb string

// The verbs.
const (
	Start   Verb = "start"
	Stop    Verb = "stop"
	Restart Verb = "restart"
	Signal  Verb = "signal"
	Rotate  Verb = "rotate"
	RunNow  Verb = "run-now" // of a oneshot or a scheduled service
)

// Act is one wish of an operator.
type Act struct {
	Verb   Verb
	Names  []string // services or instance ids; empty: all
	Until  time.Time
	Signal string
	Actor  string
	NoWait bool
}

// Outcome is how an instance stands after an act; Err is set where it could not be carried out.
type Outcome struct {
	Snapshot *Snapshot
	OK       bool
	Err      error
}

// UnknownError names services that the spec does not have.
type UnknownError struct {
	Names []string
	Have  []string
}

func (e *UnknownError) Error() string {
	quoted := make([]string, len(e.Names))
	for n, v := range e.Names {
		quoted[n] = fmt.Sprintf("%q", v)
	}
	return "no service " + strings.Join(quoted, ", ")
}

// Do carries out what an operator asks and waits until it holds or can't, or until ctx ends; then what
// was begun goes on and the outcomes say how far it came.
func (s *Supervisor) Do(ctx context.Context, a Act) ([]Outcome, error) {
	changed, release := s.env.watch()
	defer release()
	var slots []*slot
	var err error
	if e := s.do(func() {
		if s.stopping {
			err = ErrStopping
			return
		}
		if slots, err = s.choose(a.Names); err != nil {
			return
		}
		if a.Verb == RunNow {
			if err = runnable(slots); err != nil {
				return
			}
		}
		s.wish(a, slots)
	}); e != nil || err != nil {
		return nil, cmpErr(err, e)
	}
	switch a.Verb {
	case Signal, Rotate:
		return s.each(slots, a), nil
	}
	if !a.NoWait {
		err = s.await(ctx, changed, func() (bool, error) {
			if s.stopping {
				return false, ErrStopping
			}
			if s.flux {
				return false, nil
			}
			for _, l := range slots {
				if l.inst != nil && !s.settled(l, map[*slot]bool{}) {
					return false, nil
				}
			}
			return true, nil
		})
	}
	var out []Outcome
	if e := s.do(func() {
		for _, l := range slots {
			if l.inst == nil {
				continue
			}
			p := l.inst.snap.Load()
			out = append(out, Outcome{Snapshot: p, OK: a.NoWait || p.reached(a.Verb) && !p.busy(l.target)})
		}
	}); e != nil {
		return nil, e
	}
	return out, err
}

func cmpErr(a, b error) error {
	if a != nil {
		return a
	}
	return b
}

// JobError says why something can't be run now.
type JobError struct{ Message, Hint string }

func (e *JobError) Error() string { return e.Message }

// runnable says why one of them can't be run now.
func runnable(slots []*slot) error {
	for _, l := range slots {
		w := l.wanted
		if w.Type == spec.TypeService {
			return &JobError{fmt.Sprintf("cannot run %q now: it is a service that stays up", w.ID), "host restart starts it anew"}
		}
		if l.inst == nil {
			continue
		}
		p := l.inst.snap.Load()
		switch {
		case !p.Up:
			return &JobError{fmt.Sprintf("cannot run %q now: it is %s", w.ID, p.DownReason), "host start takes that back"}
		case p.State.hasProcess() && (w.Type == spec.TypeOneshot || w.Schedule.Overlap == spec.OverlapSkip):
			return &JobError{fmt.Sprintf("cannot run %q now: its former run is not over, process %d", w.ID, p.PID), "schedule.overlap: queue or replace would take it"}
		}
	}
	return nil
}

// reached reports whether the state is what the verb asks for.
func (p *Snapshot) reached(v Verb) bool {
	if v == Stop {
		return !p.State.hasProcess() && !p.Up
	}
	if p.State == Waiting && p.Spec.Type == spec.TypeScheduled && !p.Unmet {
		return v != RunNow || len(p.Runs) > 0 && p.Runs[len(p.Runs)-1].Success
	}
	return (v != Restart || p.NextFailed == "") && p.State == Running && p.Health != HealthUnhealthy || p.State == Exited
}

// choose finds the slots that names mean, all without names.
func (s *Supervisor) choose(names []string) ([]*slot, error) {
	if len(names) == 0 {
		return slices.DeleteFunc(slices.Clone(s.order), func(l *slot) bool { return l.wanted == nil }), nil
	}
	var out []*slot
	var unknown []string
	for _, n := range names {
		found := s.match(n)
		if len(found) == 0 {
			unknown = append(unknown, n)
		}
		for _, l := range found {
			if !slices.Contains(out, l) {
				out = append(out, l)
			}
		}
	}
	if len(unknown) > 0 {
		return nil, &UnknownError{Names: unknown, Have: slices.Sorted(maps.Keys(s.services))}
	}
	return out, nil
}

// match finds the instances of a service, or one by its id; case does not matter, as in the spec.
func (s *Supervisor) match(name string) []*slot {
	var out []*slot
	for _, l := range s.order {
		if l.wanted != nil && (strings.EqualFold(l.key.Service, name) || strings.EqualFold(l.key.String(), name)) {
			out = append(out, l)
		}
	}
	return out
}

// wish notes what is wanted and hands it out. It runs on the coordinator goroutine.
func (s *Supervisor) wish(a Act, slots []*slot) {
	s.generation++
	for _, l := range slots {
		what := string(a.Verb)
		if a.Verb == Signal {
			what += " " + a.Signal
		}
		e := journal.Event{Kind: journal.OperatorAction, Service: l.key.Service, Instance: l.key.Instance, ID: l.wanted.ID, Reason: what, Actor: a.Actor}
		if a.Verb == Stop && !a.Until.IsZero() {
			e.Details = map[string]string{journal.DetailUntil: a.Until.Format(time.RFC3339)}
		}
		s.env.tell(e)
		switch a.Verb {
		case RunNow:
			if l.target != nil {
				t := *l.target
				t.actor = a.Actor
				if l.wanted.Type == spec.TypeScheduled {
					t.job++
				} else {
					t.start++
				}
				s.hand(l, t)
			}
		case Stop:
			s.setWish(l, &Wish{Down: true, By: a.Actor, At: time.Now(), Until: a.Until})
		case Start, Restart:
			s.setWish(l, nil)
			if l.target != nil {
				t := *l.target
				t.actor = a.Actor
				t.start++
				if a.Verb == Restart {
					t.recycle++
				}
				s.fill(l, &t)
				s.hand(l, t)
			}
		}
	}
	s.armWishes()
	s.reconcile()
}

// each does what needs no waiting.
func (s *Supervisor) each(slots []*slot, a Act) []Outcome {
	var out []Outcome
	for _, l := range slots {
		i := l.inst
		if i == nil {
			continue
		}
		o := Outcome{Snapshot: i.snap.Load(), OK: true}
		switch {
		case a.Verb == Rotate:
			o.Err = i.log.Rotate()
		case o.Snapshot.PID == 0:
			o.Err = fmt.Errorf("service %q is %s: there is no process to signal", o.Snapshot.ID, o.Snapshot.State)
		default:
			o.Err = s.env.backend.StopStep(o.Snapshot.Run, a.Signal)
		}
		o.OK = o.Err == nil
		out = append(out, o)
	}
	return out
}

// setWish changes the operator's wish for an instance, on disk too.
func (s *Supervisor) setWish(l *slot, w *Wish) {
	l.wish = w
	key := keepWish + l.key.String()
	var err error
	if w == nil {
		err = s.env.store.Delete(key)
	} else {
		err = s.env.store.Put(key, w)
	}
	if err != nil {
		s.env.tell(journal.Event{Kind: journal.Warning, Service: l.key.Service, Instance: l.key.Instance, ID: l.wanted.ID,
			Reason: fmt.Sprintf("cannot keep the wish of the operator for service %q on disk: %v", l.wanted.ID, err)})
	}
}

func (s *Supervisor) keptWish(k Key) *Wish {
	var w Wish
	if ok, err := s.env.store.Get(keepWish+k.String(), &w); err != nil || !ok {
		return nil
	}
	return &w
}

// armWishes sets the timer for the next wish that ends by itself.
func (s *Supervisor) armWishes() {
	if s.timer != nil {
		s.timer.Stop()
		s.timer = nil
	}
	var next time.Time
	for _, l := range s.order {
		if u := l.until(); !u.IsZero() && (next.IsZero() || u.Before(next)) {
			next = u
		}
	}
	if !next.IsZero() {
		s.timer = time.NewTimer(time.Until(next))
	}
}

func (s *Supervisor) endWishes(now time.Time) {
	for _, l := range s.order {
		if u := l.until(); !u.IsZero() && !now.Before(u) && l.wanted != nil {
			s.setWish(l, nil)
			s.env.tell(journal.Event{Kind: journal.OperatorAction, Service: l.key.Service, Instance: l.key.Instance, ID: l.wanted.ID, Reason: "the stop ends as it was set to"})
		}
	}
	s.armWishes()
	s.reconcile()
}
