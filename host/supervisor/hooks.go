package supervisor

import (
	"cmp"
	"context"
	"fmt"
	"strconv"
	"time"

	"servicehost/host/journal"
	"servicehost/host/process"
	"servicehost/reload"
	"servicehost/spec"
)

// hookWork is a list of hooks that an instance waits for.
type hookWork struct {
	name   string
	cancel context.CancelFunc
	undone bool // given up before its end
	over   bool
	err    error
}

// hook runs the hooks of one kind in order beside the instance; the first failure that counts ends them. then
// runs on the instance goroutine. What they write goes to the log of the service.
func (i *instance) hook(name string, list []spec.Action, then func(*hookWork)) *hookWork {
	return i.hookWith(name, list, nil, then)
}

// hookWith is hook with further variables.
func (i *instance) hookWith(name string, list []spec.Action, more []string, then func(*hookWork)) *hookWork {
	if len(list) == 0 {
		return nil
	}
	ctx, cancel := context.WithCancel(context.Background())
	w := &hookWork{name: name, cancel: cancel}
	env, s, vars := i.env, i.spec, append(i.hookVars(name), more...)
	id := process.RunID{Service: i.key.Service, Instance: i.key.Instance, Incarnation: i.incarnation}
	port := max(s.Port, 0)
	if i.run != nil {
		port = i.run.port
	}
	sink, end := i.log.Beside()
	warning := i.event(journal.Warning, "")
	env.spawn(func() {
		defer cancel()
		var err error
		for n, a := range list {
			id.Task = fmt.Sprintf("%s.%d.%d", name, n+1, env.errands.Add(1))
			if e := env.performFor(ctx, a, s, port, id, vars, sink); e != nil {
				err = fmt.Errorf("hook %s of service %q failed: %s: %w", name, s.ID, describe(a, port), e)
				if !a.IgnoreFailure {
					break
				}
				warning.Reason, err = err.Error()+" (ignored)", nil
				env.tell(warning)
			}
		}
		end()
		i.box.call(func(*instance) {
			w.over, w.err = true, err
			then(w)
		})
	})
	return w
}

// hookVars tell a hook what happened.
func (i *instance) hookVars(name string) []string {
	vars := []string{"HOST_HOOK=" + name, "HOST_STATE=" + string(i.state), "HOST_REASON=" + i.reason, "HOST_RESTARTS=" + strconv.Itoa(i.restarts)}
	if i.run != nil {
		vars = append(vars, "HOST_PID="+strconv.Itoa(i.run.ident.PID))
	}
	if x := i.lastExit; x != nil && i.run == nil {
		vars = append(vars, "HOST_EXIT_CODE="+strconv.Itoa(x.Code), "HOST_EXIT_SIGNAL="+x.Signal, "HOST_EXIT="+x.Text,
			"HOST_UPTIME="+strconv.FormatInt(int64(x.Uptime/time.Second), 10))
	}
	return vars
}

// told warns of a hook whose failure changes nothing.
func (i *instance) told(w *hookWork) {
	if w.err != nil {
		i.env.tell(i.event(journal.Warning, w.err.Error()))
	}
}

// beforeStart runs pre_start once for the coming start, and reports whether that may go on.
func (i *instance) beforeStart() (goOn bool) {
	switch {
	case i.starting == nil:
		i.starting = i.hook("pre_start", i.wanted().Hooks.PreStart, func(*hookWork) {})
		if i.starting == nil {
			return true
		}
		i.reason = "runs its pre_start hooks"
		i.publish()
		return false
	case !i.starting.over:
		return false
	}
	return true
}

// refused goes on from a pre_start hook that failed.
func (i *instance) refused(err error) bool {
	i.tried = i.wanted()
	i.plan.due, i.plan.by = "", "" // that run is vetoed, the next one is not
	i.env.tell(i.event(journal.StartFailed, err.Error()))
	i.nextTry = time.Time{}
	if d := i.wanted().Restart.RetryAfter; d > 0 && !i.scheduled() {
		i.nextTry = time.Now().Add(d)
	}
	i.env.tell(i.event(journal.Failed, err.Error()))
	return i.enter(Failed, err.Error())
}

// giveUpStart ends the hooks of a start that is no longer wanted, and reports whether the state changed.
func (i *instance) giveUpStart() bool {
	if !i.starting.over {
		i.starting.undone = true
		i.starting.cancel()
		return false // the end of the hooks wakes it
	}
	i.starting = nil
	reason := cmp.Or(i.target.downReason, "its start was given up") // by now it may be wanted again
	i.enter(Stopping, reason)
	return i.enter(Stopped, reason)
}

// beforeStop runs pre_stop, and reports whether the ladder has to wait for that.
func (i *instance) beforeStop() bool {
	if i.ended == endExited {
		return false
	}
	i.stopping = i.hook("pre_stop", i.spec.Hooks.PreStop, func(w *hookWork) {
		i.told(w)
		if i.stopping == w {
			i.stopping = nil
			if i.state == Stopping {
				i.goDown(time.Now())
			}
		}
	})
	return i.stopping != nil
}

// afterRunHooks runs post_stop; the next start waits for it.
func (i *instance) afterRunHooks() {
	if i.stopping != nil {
		i.stopping.cancel()
		i.stopping = nil
	}
	i.leftover = i.hook("post_stop", i.spec.Hooks.PostStop, func(w *hookWork) {
		i.told(w)
		if i.leftover == w {
			i.leftover = nil // published at the end of the turn, with the start that waited for it
		}
	})
}

// tellChange has a running process told that files which it reads hold something else.
func (i *instance) tellChange(before, after *spec.Service) {
	if i.state != Running && i.state != Starting || i.run == nil || i.run.leaving() || !reload.Told(before, after) {
		return
	}
	c, run, backend := after.OnChange, i.run.id, i.env.backend
	e := i.event(journal.SpecChanged, "told of a change by on_change: ")
	e.PID = i.run.ident.PID
	if c.Signal != "" {
		e.Reason += c.Signal
		i.env.tell(e)
		warning := i.event(journal.Warning, "")
		i.env.spawn(func() {
			if err := backend.StopStep(run, c.Signal); err != nil {
				warning.Reason = fmt.Sprintf("cannot tell service %q of a change by %s: %v", after.ID, c.Signal, err)
				i.env.tell(warning)
			}
		})
		return
	}
	e.Reason += describe(*c.Action, i.run.port)
	i.env.tell(e)
	i.hook("on_change", []spec.Action{*c.Action}, i.told)
}
