// Package reload notices that the files of a spec changed and works out what the change means. It
// knows specs only.
package reload

import (
	"cmp"
	"slices"

	"servicehost/spec"
)

// The actions of a Change.
const (
	ActionAdd     = "add"     // new in the spec
	ActionRemove  = "remove"  // no longer in the spec
	ActionRestart = "restart" // a field changed that a running process cannot take over
	ActionUpdate  = "update"  // only fields changed that are applied to what runs
	ActionStart   = "start"   // enabled: false became true
	ActionStop    = "stop"    // enabled: true became false
)

// Plan is what a new spec means for what runs. What does not change is not in it.
type Plan struct {
	// Changes are in the order of the new spec; removed instances stand first.
	Changes []Change
	// Host are the changed fields of the host and of notify, of class live or next_start.
	Host []Field
}

// Change is what happens to one instance.
type Change struct {
	Name     string
	Instance int
	ID       string // as the new spec calls it; as the old one did where it is removed
	Action   string
	Fields   []Field
	// Old is what the instance was started with, nil with ActionAdd; New what it shall be, nil with
	// ActionRemove.
	Old, New *spec.Service
}

// Field is one changed key. Old and New are for people: short, and without secrets.
type Field struct {
	Path     string // restart.delay, env.LOG_LEVEL
	Old, New string // empty: not there
	Class    string
}

// Empty reports whether nothing changes.
func (p Plan) Empty() bool { return len(p.Changes) == 0 && len(p.Host) == 0 }

// Diff compares what the instances of a host were started with, and what old says of the host and of whom to
// notify, to a new spec. Secrets are shown as hashes with the salt of this process.
func Diff(running []*spec.Service, old, next *spec.Spec) Plan {
	return processRedactor().Diff(running, old, next)
}

type key struct {
	name     string
	instance int
}

// Diff is the function Diff with the hashes of r.
func (r *Redactor) Diff(running []*spec.Service, old, next *spec.Spec) Plan {
	gone := make(map[key]*spec.Service, len(running))
	for _, s := range running {
		gone[key{s.Name, s.Instance}] = s
	}
	plan := Plan{Host: append(r.hostFields(&old.Host, &next.Host), r.notifyFields(old.Notify, next.Notify)...)}
	var changes []Change
	for _, s := range next.Services {
		k := key{s.Name, s.Instance}
		before, there := gone[k]
		delete(gone, k)
		if !there {
			changes = append(changes, Change{Name: s.Name, Instance: s.Instance, ID: s.ID, Action: ActionAdd, New: s})
		} else if c, changed := r.compare(before, s); changed {
			changes = append(changes, c)
		}
	}
	for _, s := range gone {
		plan.Changes = append(plan.Changes, Change{Name: s.Name, Instance: s.Instance, ID: s.ID, Action: ActionRemove, Old: s})
	}
	slices.SortFunc(plan.Changes, func(a, b Change) int {
		return cmp.Or(cmp.Compare(a.Name, b.Name), cmp.Compare(a.Instance, b.Instance))
	})
	plan.Changes = append(plan.Changes, changes...)
	return plan
}

// compare works out what happens to one instance that both specs have.
func (r *Redactor) compare(before, after *spec.Service) (Change, bool) {
	c := Change{
		Name: after.Name, Instance: after.Instance, ID: after.ID, Action: ActionUpdate,
		Old: before, New: after, Fields: r.serviceFields(before, after),
	}
	if len(c.Fields) == 0 {
		return Change{}, false
	}
	switch {
	case !before.Enabled && after.Enabled:
		c.Action = ActionStart
	case before.Enabled && !after.Enabled:
		c.Action = ActionStop
	case after.Enabled && NeedsRestart(before, after):
		c.Action = ActionRestart
	}
	return c, true
}
