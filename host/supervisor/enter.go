package supervisor

import (
	"fmt"
	"slices"
	"time"

	"servicehost/host/journal"
)

// fresh forgets the crashes so far: an operator or a new spec starts the instance.
func (i *instance) fresh() {
	i.restart.Reset()
	i.restarts, i.auto = 0, false
	i.nextTry = time.Time{}
}

func (i *instance) startReason(asked bool) string {
	if asked && i.target.actor != "" {
		return "started by " + i.target.actor
	}
	return ""
}

// enter is the one way from state to state: it keeps, publishes and tells.
func (i *instance) enter(s State, reason string) bool {
	if !slices.Contains(transitions[i.state], s) {
		panic(fmt.Sprintf("supervisor: %s may not go from %s to %s", i.key, i.state, s))
	}
	from := i.state
	i.state, i.reason, i.since = s, reason, time.Now()
	if i.main != nil { // what is told of a service is the state of its current run
		i.publish()
		return true
	}
	if s != Failed {
		i.depFail = false
	}
	if s != Waiting {
		i.forgetLook()
	}
	if s == Stopped {
		i.giveBack()
	}
	e := i.event(journal.StateChanged, reason)
	e.From, e.To = string(from), string(s)
	if i.run != nil {
		e.PID = i.run.ident.PID
	}
	if s == Stopping {
		if c := i.cause(); c != "" {
			e.Details = map[string]string{journal.DetailCause: c}
		}
	}
	i.env.tell(e)
	i.publish()
	if s == Failed {
		i.hook("on_failure", i.spec.Hooks.OnFailure, i.told)
	}
	return true
}

func (i *instance) event(k journal.Kind, reason string) journal.Event {
	return journal.Event{Kind: k, Service: i.key.Service, Instance: i.key.Instance, ID: i.spec.ID, Incarnation: i.incarnation, Reason: reason}
}
