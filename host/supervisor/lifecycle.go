package supervisor

import (
	"cmp"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strconv"
	"time"

	"servicehost/host/human"
	"servicehost/host/journal"
	"servicehost/host/logs"
	"servicehost/host/process"
	"servicehost/host/restart"
	"servicehost/spec"
)

// tryStart goes on to starting if nothing has to be waited for, else to waiting with the reason.
func (i *instance) tryStart(now time.Time, reason string) bool {
	g := i.target.gate
	switch {
	case g.failed:
		if i.state != Waiting {
			i.enter(Waiting, g.reason)
		}
		i.depFail, i.tried = true, i.wanted()
		i.plan.due = ""
		i.nextTry = time.Time{}
		i.env.tell(i.event(journal.Failed, g.reason))
		return i.enter(Failed, g.reason)
	case !g.open:
		i.nextTry = time.Time{}
		i.forgetLook()
		return i.waitFor(g.reason)
	case i.auto && i.target.paused:
		return i.waitFor("the host is paused")
	case i.leftover != nil:
		i.nextTry = time.Time{}
		return i.waitFor("waits for the post_stop hooks of the former run")
	case i.side != nil && !mayOverlap(i.side.spec, i.wanted()):
		i.nextTry = time.Time{}
		return i.waitFor("waits for the end of the former run")
	case i.waitForUser(now), i.waitForRequires(now, reason):
		return false
	case i.auto && !i.booked:
		if d := i.env.takeRestart(now); d > 0 {
			i.booked = true
			i.nextTry = now.Add(d)
			return i.waitFor(fmt.Sprintf("too many restarts on this host at once: its turn comes in %s", text(d)))
		}
	case i.booked && now.Before(i.nextTry):
		return false
	}
	i.booked = false
	i.nextTry = time.Time{}
	return i.enter(Starting, cmp.Or(reason, i.looking.reason))
}

func (i *instance) waitFor(reason string) bool {
	if i.state != Waiting {
		return i.enter(Waiting, reason)
	}
	if i.reason != reason {
		i.reason = reason
		i.publish()
	}
	return false
}

// launch starts the process of the next incarnation. The incarnation is kept on disk before.
func (i *instance) launch() bool {
	want := i.wanted()
	i.use(want)
	if !i.beforeStart() {
		return false
	}
	if w := i.starting; w != nil {
		if w.undone {
			return i.giveUpStart()
		}
		if i.starting = nil; w.err != nil {
			return i.refused(w.err)
		}
	}
	i.tried = want
	by := ""
	if i.auto {
		i.restarts++
	} else {
		by = i.plan.by
		i.plan.due, i.plan.by = "", ""
	}
	i.auto, i.next.again = false, ""
	r := i.newRun(want)
	r.by = by
	if i.proving = want.Type == spec.TypeService && !sameSpec(i.good, want); i.proving {
		i.keepGood(i.good)
	}
	if err := i.begin(r); err != nil {
		return i.startFailed(r, err)
	}
	i.run = r
	i.attach(want.Log.Stderr != "")
	i.beginHealth()
	if i.well.started {
		i.enter(Running, "")
	} else {
		e := i.event(journal.Started, "waits for its startup probe")
		e.PID = r.ident.PID
		i.env.tell(e)
		i.reason = e.Reason
		i.publish()
	}
	i.hook("post_start", want.Hooks.PostStart, i.told)
	return true
}

// newRun is the next incarnation, noted on disk.
func (i *instance) newRun(want *spec.Service) *run {
	from := i
	if i.main != nil {
		from = i.main
	}
	from.issued++
	i.incarnation = from.issued
	from.keep()
	id := process.RunID{Service: i.key.Service, Instance: i.key.Instance, Incarnation: i.incarnation}
	return &run{id: id, spec: want, started: time.Now(), whole: want.Track == spec.TrackTree}
}

// begin starts the process of a run.
func (i *instance) begin(r *run) error {
	req, port, err := request(i.env, r.spec)
	if err == nil {
		r.ear, err = i.listen(r.spec, &req)
	}
	if err == nil {
		r.port = port
		r.ident, err = i.env.backend.Start(r.id, req)
	}
	if err != nil && r.ear != nil {
		r.ear.Close()
	}
	return err
}

func (i *instance) attach(split bool) {
	var srcs [2]logs.Source
	for n, s := range []process.Stream{process.Stdout, process.Stderr} {
		if s == process.Stderr && !split {
			break
		}
		if o, err := i.env.backend.OpenOutput(i.run.id, s); err == nil {
			if srcs[n] = o; i.run.tee != nil {
				srcs[n] = teed{o, i.run.tee}
			}
			i.run.outputs = append(i.run.outputs, o)
		}
	}
	attach := i.log.Attach
	if i.main != nil {
		attach = i.log.AttachBeside
	}
	switch {
	case srcs[0] == nil:
	case srcs[1] == nil:
		i.run.drained = attach(srcs[0], nil)
	default:
		i.run.drained = attach(srcs[0], srcs[1])
	}
}

func (i *instance) startFailed(r *run, err error) bool {
	if i.noSession(err) {
		return true
	}
	why := withHint(err)
	reason := fmt.Sprintf("cannot start service %q: %s", r.spec.ID, why)
	i.env.tell(i.event(journal.StartFailed, reason))
	if news, back := i.news(r.spec); i.rollBack(r.spec, news+reason) {
		i.nextTry = time.Time{}
		return i.enter(Backoff, back+reason)
	}
	return i.decide(r.spec, restart.Exit{Text: "cannot start: " + why, StartFailed: true})
}

// withHint is an error of the backend with what to do about it.
func withHint(err error) string {
	if e, ok := errors.AsType[*process.Error](err); ok && e.Hint != "" {
		return err.Error() + "; " + e.Hint
	}
	return err.Error()
}

// onProcess takes an event of the backend. What belongs to an earlier incarnation is dropped.
func (i *instance) onProcess(e process.Event) {
	if s := i.side; s != nil && s.run != nil && e.Run == s.run.id {
		s.onProcess(e)
		return
	}
	if i.run == nil || e.Run != i.run.id {
		return
	}
	if e.Kind == process.LimitHit {
		i.onLimit(e)
		return
	}
	if i.run.exit == nil {
		x := e.Exit
		i.run.exit = &x
		if i.run.whole && e.Kind == process.Exited && (i.state == Running || i.state == Starting) {
			i.reason = "its main process has ended (" + exitText(x) + "), the rest of its tree runs on"
			i.publish()
		}
	}
	if e.Kind == process.Gone && i.main != nil {
		i.main.afterSide()
	} else if e.Kind == process.Gone {
		i.afterRun()
	}
}

// afterRun decides what follows a run of which nothing is left.
func (i *instance) afterRun() {
	r := i.run
	i.endHealth()
	i.run = nil
	i.finish(r)
	success := slices.Contains(i.spec.SuccessExitCodes, r.exit.Code) && r.exit.Signal == ""
	asked := (i.state == Stopping || i.state == Killing) && i.ended != endExited
	overLimit := asked && i.ended == endLimit
	at := r.exit.At
	if r.whole {
		at = time.Now()
	}
	uptime := at.Sub(r.started)
	how := exitText(*r.exit)
	oom := i.outOfMemory(r, success)
	if oom != "" {
		how = oom + ", " + how
	}
	i.lastExit = exitRecord(*r.exit, how, uptime)
	i.exitAt = at
	i.afterRunHooks()
	i.remember(r, i.lastExit, success && (!asked || i.ended == endTarget))
	var words []string
	if !success && (!asked || i.ended != endTarget) {
		words = i.log.Tail(keptLines)
	}
	i.env.tell(i.exited(r, success || asked && i.ended == endTarget, words))

	if !asked && onDesktop(r.spec) {
		i.endedOnDesktop(time.Now())
	}
	if i.takeOver() {
		return
	}
	if asked && i.ended == endTarget {
		i.afterStop()
		return
	}
	if !i.wantedUp() { // it ended by itself just when it was to be stopped
		if i.state == Running || i.state == Starting {
			i.enter(Stopping, i.target.downReason)
		}
		i.afterStop()
		return
	}
	if (!asked || overLimit) && i.proving {
		news, back := i.news(i.spec)
		if news == "" {
			news = "it ended with its new spec: "
		}
		if i.rollBack(i.spec, news+i.lastExit.Text) {
			i.enter(Backoff, back+i.lastExit.Text)
			return
		}
	}
	if success && r.spec.Type == spec.TypeOneshot {
		i.good = r.spec
	}
	x := restart.Exit{Success: success, Text: how, Uptime: uptime, Healthy: i.wellFor(at)}
	if i.ended == endMaxRuntime && asked {
		x.Text = "ended at max_runtime"
		x.Success = i.spec.Type == spec.TypeService
		x.Forced = x.Success
	}
	if overLimit {
		x.Success, x.Text = false, oom
	}
	if asked && i.ended == endUnwell {
		x.Success, x.Text = false, i.well.lost
	}
	if asked && i.ended == endThreshold {
		x.Success, x.Text = false, r.unwanted
	}
	i.decide(i.spec, x)
}

// afterStop follows a stop that the target asked for; what the target says now counts.
func (i *instance) afterStop() {
	now := time.Now()
	if i.side != nil { // dropSide comes back here
		i.reason = "the run beside it is being ended"
		i.publish()
		return
	}
	if i.wantedUp() {
		i.use(i.wanted()) // which may have to wait
		if i.scheduled() && i.plan.due == "" {
			i.stepIdle(now)
			return
		}
		i.auto = false
		if i.plan.due != "" {
			i.reason = i.plan.due
		}
		i.tryStart(now, i.reason)
		return
	}
	i.enter(Stopped, i.target.downReason)
}

// decide asks the restart policy and goes where it says.
func (i *instance) decide(s *spec.Service, x restart.Exit) bool {
	d := i.restart.Decide(s.Restart, time.Now(), x, rand.Float64)
	reason := d.Reason
	if !x.Success && !x.StartFailed {
		if last := i.log.Tail(1); len(last) == 1 && last[0] != "" {
			reason += ": " + strconv.Quote(last[0])
		}
	}
	switch d.Action {
	case restart.Restart:
		i.auto = true
		i.nextTry = time.Now().Add(d.Delay)
		i.keep()
		return i.enter(Backoff, reason)
	case restart.Exited:
		i.nextTry = time.Time{}
		i.keep()
		return i.enter(Exited, reason)
	case restart.Failed: // below
	}
	i.nextTry = time.Time{}
	if d.RetryAfter > 0 && !i.scheduled() {
		i.nextTry = time.Now().Add(d.RetryAfter)
	}
	i.keep()
	i.env.tell(i.event(journal.Failed, reason))
	return i.enter(Failed, reason)
}

// finish ends what belongs to a run of which nothing is left: it hears it no more, and lets what is left in the
// pipes reach the log, without making the next run wait for it. The run is acknowledged once its streams have ended: that closes them.
func (i *instance) finish(r *run) {
	backend := i.env.backend
	if r.ear != nil {
		r.ear.Close()
	}
	if r.drained == nil {
		backend.Ack(r.id)
		return
	}
	// The last words matter for the reason shown; they are nearly always there at once.
	if within(lastWordsWait, r.drained) {
		backend.Ack(r.id)
		return
	}
	i.env.spawn(func() {
		if !within(drainTimeout, r.drained) { // something outside the tree holds the pipe
			for _, o := range r.outputs {
				o.Close()
			}
			<-r.drained
		}
		backend.Ack(r.id)
	})
}

// within reports whether done is closed before d is over.
func within(d time.Duration, done <-chan struct{}) bool {
	select {
	case <-done:
		return true
	default:
	}
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-done:
		return true
	case <-t.C:
		return false
	}
}

// keptLines is how many last lines of a run go with the event of its end.
const keptLines = 20

const (
	drainTimeout  = 2 * time.Second
	lastWordsWait = 20 * time.Millisecond
)

// exitText says how a process ended: exit 3, SIGKILL.
func exitText(e process.Exit) string {
	if e.Signal != "" {
		t := "ended by " + e.Signal
		if e.Core {
			t += " (core dumped)"
		}
		return t
	}
	return "exit " + exitCodeText(e.Code)
}

func text(d time.Duration) string { return human.Duration(d) }
