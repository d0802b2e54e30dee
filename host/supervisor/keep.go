package supervisor

import (
	"fmt"
	"time"

	"servicehost/host/journal"
	"servicehost/host/restart"
	"servicehost/spec"
)

// Store keeps small records that outlive the host; *state.Store is one.
type Store interface {
	Put(key string, v any) error
	Get(key string, v any) (bool, error)
	Delete(key string) error
	Keys(prefix string) []string
}

// The prefixes of the records. Behind them stands Key.String.
const (
	keepInstance = "instance/"
	keepGood     = "good/"
	keepWish     = "wish/"
	// KeepApplied is where the host keeps the spec of each instance that was applied last.
	KeepApplied = "last_good/"
)

// kept is what is remembered of an instance.
type kept struct {
	Incarnation uint64        `json:"incarnation"`
	Restart     restart.State `json:"restart"`
	Rejected    string        `json:"rejected,omitempty"`
	Why         string        `json:"why,omitempty"`
	Vetoed      bool          `json:"vetoed,omitempty"`
	// Next is when a scheduled service was due next, Runs its latest ones.
	Next time.Time `json:"next,omitzero"`
	Runs []JobRun  `json:"runs,omitempty"`
}

// Wish is what an operator asked of an instance against its spec.
type Wish struct {
	Down  bool      `json:"down"`
	By    string    `json:"by"`
	At    time.Time `json:"at"`
	Until time.Time `json:"until,omitzero"`
}

func (i *instance) restore() {
	var k kept
	if ok, err := i.env.store.Get(keepInstance+i.key.String(), &k); err == nil && ok {
		i.issued, i.incarnation, i.restart, i.rejected, i.why, i.vetoed = k.Incarnation, k.Incarnation, k.Restart, k.Rejected, k.Why, k.Vetoed
		i.plan.next, i.runs = k.Next, k.Runs
	}
	// What was put to the proof when the host ended, else what was applied last.
	for _, prefix := range []string{keepGood, KeepApplied} {
		var good spec.Service
		if ok, err := i.env.store.Get(prefix+i.key.String(), &good); err == nil && ok {
			if unread(&good) {
				continue
			}
			i.good, i.goodKept = &good, prefix == keepGood
			break
		}
	}
	if i.good == nil || i.rejected != i.target.spec.Hash && !unread(i.target.spec) {
		i.rejected, i.why, i.vetoed = "", "", false
	}
}

func (i *instance) keep() {
	i.put(keepInstance, kept{Incarnation: i.issued, Restart: i.restart, Rejected: i.rejected, Why: i.why, Vetoed: i.vetoed, Next: i.plan.next, Runs: i.runs})
}

// keepGood writes down the spec to go back to while another has to prove itself, and deletes it (nil)
// when that is done: KeepApplied has the same then.
func (i *instance) keepGood(s *spec.Service) {
	switch {
	case s != nil:
		i.goodKept = true
		i.put(keepGood, s)
	case i.goodKept:
		i.goodKept = false
		if err := i.env.store.Delete(keepGood + i.key.String()); err != nil {
			i.env.tell(i.event(journal.Warning, fmt.Sprintf("cannot keep the state of service %q on disk: %v", i.spec.ID, err)))
		}
	}
}

func (i *instance) put(prefix string, v any) {
	if err := i.env.store.Put(prefix+i.key.String(), v); err != nil {
		i.env.tell(i.event(journal.Warning, fmt.Sprintf("cannot keep the state of service %q on disk: %v", i.spec.ID, err)))
	}
}

// forget deletes what was kept of an instance that the spec no longer names. Its incarnation stays: a
// RunID must not come twice. So does an operator's wish: a checkout that drops a service for a moment
// must not start what somebody stopped.
func (e *environment) forget(k Key) {
	_ = e.store.Delete(keepGood + k.String()) // what stays is read only if the spec names the service again
}
