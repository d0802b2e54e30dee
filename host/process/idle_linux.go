package process

import (
	"sync"
	"time"
)

// idle is what the last look at a tree in a cgroup found. A tree that took no CPU time since then has started nothing,
// ended nothing and touched no memory, so one small file of the kernel says what else takes a list of processes and a
// file of each. With a thousand services that is most of what looking at them costs, for most of them are idle.
type idle struct {
	mu   sync.Mutex
	at   time.Time // zero: there was none
	last Usage     // without what only a full look finds
}

// idleMost is how long a look is believed: the kernel may take memory from a tree that does nothing.
const idleMost = time.Minute

// known returns the last look where cpu, which the kernel counts for the whole tree, is still the same.
func (i *idle) known(cpu time.Duration, now time.Time) (Usage, bool) {
	i.mu.Lock()
	defer i.mu.Unlock()
	if i.at.IsZero() || i.last.CPU != cpu || now.Sub(i.at) >= idleMost {
		return Usage{}, false
	}
	return i.last, true
}

// note remembers a look that was begun when cpu was counted: what changes a tree afterwards takes time that is not in it.
func (i *idle) note(use Usage, now time.Time) {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.at, i.last = now, use
}
