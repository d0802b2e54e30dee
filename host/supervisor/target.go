package supervisor

import (
	"fmt"
	"sync"
	"time"

	"servicehost/host/process"
	"servicehost/spec"
)

// Key names an instance: its id changes with the number of instances, this does not.
type Key struct {
	Service  string
	Instance int
}

func keyOf(s *spec.Service) Key { return Key{s.Name, s.Instance} }

// String is the form used in the state folder: api.2.
func (k Key) String() string { return fmt.Sprintf("%s.%d", k.Service, k.Instance) }

// target is what the coordinator wants of an instance. It is replaced, never changed.
type target struct {
	spec *spec.Service
	up   bool
	// downReason says why up is false: "stopped by root", "disabled in the spec".
	downReason string
	downBy     string // operator or spec
	until      time.Time
	remove     bool // the spec no longer names it
	gate       gate
	// veto says why another instance of the service went back from the spec that came with the same edit.
	veto   string
	paused bool // no automatic restart
	// start, recycle and retry rise with each wish of that kind: start now whatever the policy says,
	// restart if running, forget the rejected spec.
	start, recycle, retry uint64
	// job rises with each wish to run a job now.
	job   uint64
	actor string // who caused the last rise
	// generation is that of the edit or wish that last changed this target, seq its own number.
	generation, seq uint64
}

// gate says whether what the instance depends on is there.
type gate struct {
	open   bool
	failed bool // it will not come by itself
	turn   bool // it is there, but other instances of the service come first
	reason string
}

// mailbox is how anything reaches an instance. Its methods never block.
type mailbox struct {
	turns func() // takes turns until rest reports true

	mu     sync.Mutex
	target *target
	events []process.Event
	calls  []func(*instance)
	busy   bool // turns are being taken, or there will be none any more
	more   bool // something came meanwhile
}

// newMailbox returns one whose first turns are the caller's to begin.
func newMailbox(turns func()) *mailbox { return &mailbox{turns: turns, busy: true} }

func (m *mailbox) setTarget(t *target) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.target = t
	m.wake()
}

func (m *mailbox) event(e process.Event) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.events = append(m.events, e)
	m.wake()
}

// call has f run within a turn of the instance.
func (m *mailbox) call(f func(*instance)) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.calls = append(m.calls, f)
	m.wake()
}

// ring has a turn taken.
func (m *mailbox) ring() {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.wake()
}

func (m *mailbox) wake() {
	if m.busy {
		m.more = true
		return
	}
	m.busy = true
	go m.turns()
}

// rest reports whether turns may end because nothing has come meanwhile.
func (m *mailbox) rest() bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.busy, m.more = m.more, false
	return !m.busy
}

func (m *mailbox) take() (*target, []process.Event, []func(*instance)) {
	m.mu.Lock()
	defer m.mu.Unlock()
	t, e, c := m.target, m.events, m.calls
	m.events, m.calls, m.more = nil, nil, false
	return t, e, c
}
