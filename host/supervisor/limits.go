package supervisor

import (
	"fmt"
	"strconv"
	"time"

	"servicehost/host/human"
	"servicehost/host/journal"
	"servicehost/host/process"
	"servicehost/spec"
)

// hits is what a run ran into of its limits.
type hits struct {
	memory time.Time // the last time; zero: never
	killed bool      // the system ended a process for it, that time
	due    time.Time // when the run is ended for it, if it still runs
	told   map[string]time.Time
	untold map[string]int // since told
}

const (
	// limitGrace is how long a run may take to end by itself over its memory limit: then that is how it
	// ended, and nobody has to stop it.
	limitGrace = time.Second
	// killedWithin and refusedWithin are how long after the memory limit an end counts as its consequence: where
	// the system ends a process for it (Linux), and where it only refuses it more (Windows).
	killedWithin  = 5 * time.Second
	refusedWithin = 10 * time.Second
	// hitsEvery is how often the journal hears of the same limit of one run.
	hitsEvery = time.Minute
)

// limits are those of a request.
func limits(s *spec.Service) process.Limits {
	return process.Limits{Memory: s.Limits.Memory, CPU: s.Limits.CPU, Processes: s.Limits.Processes, OpenFiles: s.Limits.OpenFiles}
}

// onLimit takes note of a limit that the run has reached.
func (i *instance) onLimit(e process.Event) {
	r, now := i.run, time.Now()
	reason := limitText(r.spec.Limits, e.Limit) + " reached"
	if e.Killed {
		reason += ", the system ended a process for it"
	}
	if e.Limit == "memory" {
		r.hits.memory, r.hits.killed = now, e.Killed
		if (i.state == Running || i.state == Starting) && r.hits.due.IsZero() && i.spec.Limits.Action != spec.LimitLog && !i.target.paused {
			r.hits.due = now.Add(limitGrace)
		}
	}
	if t, ok := r.hits.told[e.Limit]; ok && now.Sub(t) < hitsEvery {
		r.hits.untold[e.Limit]++
		return
	}
	if n := r.hits.untold[e.Limit]; n > 0 {
		reason += fmt.Sprintf(", %s in %s", human.Count(n+1, "time"), text(now.Sub(r.hits.told[e.Limit])))
	}
	if r.hits.told == nil {
		r.hits.told, r.hits.untold = map[string]time.Time{}, map[string]int{}
	}
	r.hits.told[e.Limit], r.hits.untold[e.Limit] = now, 0
	ev := i.event(journal.LimitHit, reason)
	ev.PID = r.ident.PID
	i.env.tell(ev)
}

// limitText names a limit with its figure: memory limit 512MiB.
func limitText(l spec.Limits, limit string) string {
	switch {
	case limit == "memory" && l.Memory > 0:
		return "memory limit " + human.Size(l.Memory)
	case limit == "processes" && l.Processes > 0:
		return "process limit " + strconv.Itoa(l.Processes)
	}
	return limit + " limit"
}

// overLimit reports whether a run has to end because it goes on over its memory limit.
func (i *instance) overLimit(now time.Time) bool {
	due := i.run.hits.due
	return !due.IsZero() && !now.Before(due)
}

// outOfMemory says so, where the run ended for its memory limit; else it is "".
func (i *instance) outOfMemory(r *run, success bool) string {
	words := fmt.Sprintf("out of memory (limit %s)", human.Size(r.spec.Limits.Memory))
	since := r.exit.At.Sub(r.hits.memory)
	switch {
	case r.hits.memory.IsZero():
	case i.ended == endLimit && (i.state == Stopping || i.state == Killing):
		return words
	case i.state == Stopping || i.state == Killing: // it was to end anyway
	case r.hits.killed && r.exit.Signal == "SIGKILL" && since <= killedWithin:
		return words
	case !r.hits.killed && !success && since <= refusedWithin:
		return words
	}
	return ""
}
