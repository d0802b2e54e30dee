package host

import (
	"sync"
	"time"

	"servicehost/host/process"
	"servicehost/host/supervisor"
)

// usage samples what the trees of the services use, when somebody looks.
type usage struct {
	mu   sync.Mutex
	last map[process.RunID]sample
}

type sample struct {
	at  time.Time
	cpu time.Duration
}

// sampled is the usage of one instance; zero where it has no process or the system can't tell.
type sampled struct {
	percent   float64
	memory    int64
	processes int
}

// sample measures each instance of snaps, in their order. CPU is that since the last look at the same
// run, or since its start.
func (u *usage) sample(b process.Backend, snaps []*supervisor.Snapshot) []sampled {
	u.mu.Lock()
	defer u.mu.Unlock()
	out := make([]sampled, len(snaps))
	next := make(map[process.RunID]sample, len(snaps))
	for n, p := range snaps {
		if p.PID == 0 {
			continue
		}
		m, err := b.Usage(p.Run, false)
		if err != nil {
			continue
		}
		now := sample{time.Now(), m.CPU}
		before, ok := u.last[p.Run]
		if !ok {
			before = sample{at: p.StartedAt}
		}
		out[n] = sampled{memory: m.Memory, processes: m.Processes}
		if d := now.at.Sub(before.at); d > 0 && now.cpu >= before.cpu {
			out[n].percent = float64(int64(1000*(now.cpu-before.cpu)/d)) / 10
		}
		if ok && now.at.Sub(before.at) < shortestSample {
			now = before // two looks at once: the next one compares with a time that says something
		}
		next[p.Run] = now
	}
	u.last = next
	return out
}

// shortestSample is the least time between two looks for the first to be forgotten.
const shortestSample = time.Second
