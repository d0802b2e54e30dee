package supervisor

import (
	"fmt"
	"slices"
	"time"

	"servicehost/spec"
)

// judge compares what there is with what has to be.
func (w *storm) judge() {
	got := map[Key]*Snapshot{}
	for _, p := range w.sup.Snapshots() {
		got[p.Key] = p
	}
	total := 0
	for _, name := range w.names() {
		c := w.recipes[name]
		stalled := slices.ContainsFunc(w.sup.Snapshots(), func(p *Snapshot) bool { return p.Key.Service == name && p.Stalled != "" })
		for _, s := range c.build() {
			total++
			k := keyOf(s)
			p := got[k]
			if p == nil {
				w.fault("%v is not there", k)
				continue
			}
			_, down := w.down[k]
			if up := c.enabled && !down; !up {
				if p.State != Stopped {
					w.fault("%v is %s (%s), it was to be down", k, p.State, p.Reason)
				}
				continue
			}
			open, kind := w.open(c), p.Spec.Type // which may be that of the spec it went back to
			ok := false
			switch p.State {
			case Running:
				ok = p.Health == HealthHealthy || kind != spec.TypeService
			case Exited:
				ok = kind == spec.TypeOneshot
			case Waiting:
				ok = !open || kind == spec.TypeScheduled && (!p.NextTry.Before(time.Now()) && time.Until(p.NextTry) < 6*time.Minute || time.Since(p.ExitAt) < 7*time.Minute)
			case Failed:
				ok = !open
			case Stopped, Starting, Stopping, Killing, Backoff: // not for hours
				ok = kind == spec.TypeScheduled && time.Since(p.Since) < time.Minute
			}
			if !ok {
				w.fault("%v is %s, %s (%s), next %v; gates open: %v; now %v, plan %+v, well %+v, target %+v", k, p.State, p.Health, p.Reason, p.NextTry, open, time.Now(), w.sup.instance(k).plan, w.sup.instance(k).well, *w.sup.instance(k).target)
			}
			held := p.Rollout != nil && p.Rollout.State == RolloutHeld && !open
			if p.State == Running && p.SpecState != SpecRolledBack && !stalled && !held && p.Spec.Hash != s.Hash {
				w.sup.do(func() {
					l := w.sup.slots[k]
					w.fault("%v runs %v, %s, proving %v, want %v, known as %v, target %v; held %v, veto %q, stalled by %+v; flux %v, removing %v; deps %v, target %+v", k, p.Spec.Command[1:], p.SpecState, p.Proving, s.Command[1:],
						l.wanted.Command[1:], l.target.spec.Command[1:], w.sup.held(l), w.sup.vetoOf(l), w.sup.stalledBy(l), w.sup.flux, w.sup.removing(), l.deps, *l.target)
				})
			}
			if args := w.fake.Request(p.Run).Args; p.State == Running && kind == spec.TypeService && !slices.Equal(args, p.Spec.Command) {
				w.fault("%v runs %v, says %v", k, args, p.Spec.Command)
			}
			if up := w.fake.Up(k.Service, k.Instance); p.State == Running && (len(up) != 1 || up[0] != p.Run) || !p.State.hasProcess() && len(up) > 0 {
				w.fault("%v is %s with %v, up are %v, rollout %+v", k, p.State, p.Run, up, p.Rollout)
			}
			if at := w.reads[p.Run]; p.State == Running && kind == spec.TypeService && p.SpecState == SpecApplied && p.Spec.Hash == s.Hash && at.Before(c.configured) {
				w.fault("%v (%v) read its files at %v, they are from %v", k, p.Run, at, c.configured)
			}
			if len(p.Runs) > maxJobRuns {
				w.fault("%v remembers %d runs", k, len(p.Runs))
			}
		}
	}
	if total != len(got) {
		w.fault("%d instances, want %d", len(got), total)
	}
}

// open reports whether what a service depends on is there.
func (w *storm) open(c *recipe) bool {
	for name, d := range c.deps {
		on := w.recipes[name]
		for n := range on.instances {
			k := Key{name, n + 1}
			_, down := w.down[k]
			i := w.sup.instance(k)
			if i == nil {
				return false
			}
			why, forGood := unmet(&slot{key: k, inst: i, wanted: i.snap.Load().Spec}, d.Condition)
			if why != "" && (d.Required || !forGood && on.enabled && !down) {
				return false
			}
		}
	}
	return true
}

// rest looks that nothing is done where there is nothing to do.
func (w *storm) rest() {
	before := w.sup.Snapshots()
	jobs := 0
	for _, p := range before {
		if p.Spec.Type == spec.TypeScheduled {
			jobs++
		}
	}
	w.mu.Lock()
	told := w.told
	w.mu.Unlock()
	settle(time.Hour)
	jobbing := map[string]bool{} // in force: where a type was rolled back, others may depend on a job
	for _, p := range before {
		if p.Spec.Type == spec.TypeScheduled {
			jobbing[p.Key.Service] = true
		}
	}
	for n, p := range w.sup.Snapshots() {
		follows := false
		if c := w.recipes[p.Key.Service]; c != nil {
			for name := range c.deps {
				follows = follows || jobbing[name]
			}
		}
		if p != before[n] && p.Spec.Type != spec.TypeScheduled && !follows {
			w.fault("%v was published again: %s (%s), was %s (%s), target %+v", p.Key, p.State, p.Reason, before[n].State, before[n].Reason, *w.sup.instance(p.Key).target)
		}
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if n := w.told - told; n > jobs*180*8 { // three runs a minute
		w.faults = append(w.faults, fmt.Sprintf("%d events within an hour of rest, with %d jobs", n, jobs))
	}
}
