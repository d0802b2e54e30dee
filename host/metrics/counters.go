package metrics

import (
	"math"
	"time"

	"servicehost/host/journal"
	"servicehost/host/process"
)

// reason is why a service was started again.
type reason uint8

const (
	noReason reason = iota
	afterExit
	startFailed
	failedProbe
	limitReached
	maxRuntime
	changed
	byOperator
	byThreshold
	byDependency
	rolledBack
	retried
	reasonCount
)

var reasonNames = [reasonCount]string{
	afterExit: "exit", startFailed: "start_failed", failedProbe: "probe", limitReached: "limit", maxRuntime: "max_runtime", changed: "change",
	byOperator: "operator", byThreshold: "threshold", byDependency: "dependency", rolledBack: "rollback", retried: "retry",
}

var causes = map[string]reason{
	journal.CauseProbe: failedProbe, journal.CauseLimit: limitReached, journal.CauseThreshold: byThreshold, journal.CauseMaxRuntime: maxRuntime, journal.CauseChange: changed,
}

// counts are what happened to one instance.
type counts struct {
	starts, failures, startFailures, kills, limits, rollbacks, unhealthy, skipped, thresholds uint64

	restarts [reasonCount]uint64
	exits    []exit
	cpu      time.Duration // of the present run
}

// exit is one way in which processes of a service end.
type exit struct {
	code   int
	signal string
	n      uint64
}

// maxExits bounds the ways that are told of one instance; what else there is goes together.
const maxExits = 8

// otherExits is the code of an exit that stands for all further ones.
const otherExits = math.MinInt

// counters are counts, and what the next event is understood by.
type counters struct {
	counts
	seen   time.Time
	labels string

	run process.RunID // that counts.cpu is of

	next   reason // why the next start will be one of again
	ended  reason // how the last run did
	asked  reason // who asked for a restart since the last start
	rolled bool   // it went back to an earlier spec, and this run is of the later one
}

// reloadKinds are the results of reloads.
var reloadKinds = [...]struct {
	kind journal.Kind
	name string
}{{journal.ReloadApplied, "applied"}, {journal.ReloadRejected, "rejected"}, {journal.ReloadPending, "pending"}}

// Observe counts an event. It is quick, and takes no memory for what happened before.
func (c *Collector) Observe(e journal.Event) {
	if e.Service == "" {
		for n, r := range reloadKinds {
			if e.Kind == r.kind {
				c.counting.Lock()
				c.reloads[n]++
				c.refused = e.Kind == journal.ReloadRejected
				c.counting.Unlock()
			}
		}
		return
	}
	k := key{e.Service, e.Instance}
	c.counting.Lock()
	defer c.counting.Unlock()
	if e.Kind == journal.ServiceRemoved {
		delete(c.instances, k)
		return
	}
	c.of(k).observe(e)
}

// of returns the counters of an instance. c.counting is held.
func (c *Collector) of(k key) *counters {
	i := c.instances[k]
	if i == nil {
		i = &counters{}
		c.instances[k] = i
	}
	return i
}

func (c *counters) observe(e journal.Event) {
	c.seen = e.Time
	switch e.Kind {
	case journal.StateChanged:
		c.moved(e)
	case journal.ProcessExited:
		c.ended, c.rolled = afterExit, false
		if e.Exit != nil {
			c.exited(e.Exit.Code, e.Exit.Signal)
		}
	case journal.StartFailed:
		c.ended, c.rolled = startFailed, false
		c.startFailures++
	case journal.SpecChanged:
		c.rolled = false
	case journal.RolledBack:
		c.rolled = true
		c.rollbacks++
	case journal.OperatorAction:
		if e.Reason == "restart" {
			c.asked = byOperator
		}
	case journal.Rollout:
		if cause := e.Details[journal.DetailCause]; cause != "" { // another run took its place
			c.next = c.reasonOf(cause)
			c.started()
		}
	case journal.Failed:
		c.failures++
	case journal.Killed:
		c.kills++
	case journal.LimitHit:
		c.limits++
	case journal.Unhealthy:
		c.unhealthy++
	case journal.Skipped:
		c.skipped++
	case journal.Threshold:
		c.thresholds++
	}
}

// moved takes in that an instance went from state to state.
func (c *counters) moved(e journal.Event) {
	switch e.To {
	case "stopping":
		c.next = c.reasonOf(e.Details[journal.DetailCause])
	case "backoff":
		if c.next == noReason {
			if c.next = c.ended; c.rolled {
				c.next = rolledBack
			}
		}
	case "stopped", "exited", "failed":
		c.next = noReason
	case "waiting", "starting":
		if e.From == "failed" && c.asked == noReason {
			c.next = retried
		}
	}
	if e.To == "starting" {
		c.started()
	}
}

func (c *counters) reasonOf(cause string) reason {
	switch r := causes[cause]; {
	case cause == "":
		return noReason
	case c.rolled && r == changed:
		return rolledBack
	case r != noReason:
		return r
	case c.asked != noReason:
		return c.asked
	}
	return byDependency
}

// started counts a start. The first one of a host is none of again.
func (c *counters) started() {
	if c.next != noReason && c.starts > 0 {
		c.restarts[c.next]++
	}
	c.starts++
	c.next, c.ended, c.asked, c.rolled = noReason, noReason, noReason, false
}

func (c *counters) exited(code int, signal string) {
	for n := range c.exits {
		if x := &c.exits[n]; x.code == code && x.signal == signal {
			x.n++
			return
		}
	}
	if len(c.exits) == maxExits {
		code, signal = otherExits, ""
		c.exits = append(c.exits, exit{code: otherExits})
	}
	if len(c.exits) > maxExits {
		c.exits[maxExits].n++
		return
	}
	c.exits = append(c.exits, exit{code, signal, 1})
}
