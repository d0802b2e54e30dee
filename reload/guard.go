package reload

import (
	"fmt"

	"servicehost/spec"
)

// guardFrom is the number of running services from which on the guard looks: below it any edit is a
// large part of them.
const guardFrom = 4

// Guard reports whether the plan would stop or restart so many of the running instances that somebody
// has to confirm it, with the reason. Every instance that the old spec had enabled counts as running,
// but never more than running of them.
func (p Plan) Guard(r spec.Reload, running int) (held bool, reason string) {
	return p.GuardRunning(r, running, func(*spec.Service) bool { return true })
}

// GuardRunning is Guard for a caller who knows which instances run: only changes of those count.
func (p Plan) GuardRunning(r spec.Reload, running int, runs func(old *spec.Service) bool) (held bool, reason string) {
	if running < guardFrom {
		return false, ""
	}
	var removed, restarted int
	for _, c := range p.Changes {
		if c.Old == nil || !c.Old.Enabled || !runs(c.Old) {
			continue
		}
		switch c.Action {
		case ActionRemove, ActionStop:
			removed++
		case ActionRestart:
			restarted++
		}
	}
	removed, restarted = min(removed, running), min(restarted, running)
	say := func(verb string, n int, key string, percent int) (bool, string) {
		return true, fmt.Sprintf("the edit would %s %d of %d running services, more than host.reload.%s (%d%%)", verb, n, running, key, percent)
	}
	switch {
	case removed*100 > r.MaxRemoved*running:
		return say("stop", removed, "max_removed", r.MaxRemoved)
	case restarted*100 > r.MaxRestarted*running:
		return say("restart", restarted, "max_restarted", r.MaxRestarted)
	}
	return false, ""
}
