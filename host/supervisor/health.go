package supervisor

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"time"

	"servicehost/host/journal"
	"servicehost/host/logs"
	"servicehost/host/process"
	"servicehost/spec"
)

// Probes asks runs whether they work.
type Probes interface {
	// Listen opens what a run can be told by, before its process is started, or returns nil where its probes
	// need nothing of that kind. It is open until nothing is left of the run: a program may say something to its end.
	Listen(s *spec.Service) (Ear, error)
	// Watch begins to ask one run. report is called from any goroutine, at every change, and never blocks.
	Watch(w Watched, report func(HealthEvent)) HealthWatch
}

// Ear is a way for a run to say itself how it is. Its methods never block.
type Ear interface {
	// Env are the variables by which the program finds it, NAME=value.
	Env() []string
	Close()
}

// Watched is a run that is asked.
type Watched struct {
	Ear  Ear // nil: none
	Run  process.RunID
	PID  int
	Port int
	Spec *spec.Service
	// Exec runs a program in the service's own environment and identity; its tree is ended with ctx. The
	// error says why it was no success.
	Exec func(ctx context.Context, argv []string) error
}

// HealthWatch is the asking of one run. Its methods never block.
type HealthWatch interface {
	// Apply takes over changed probes.
	Apply(h spec.Health)
	// WantsLines reports whether Line is of use just now.
	WantsLines() bool
	// Line takes a line of the output of the run.
	Line(text []byte)
	// Pause holds back what would have the run restarted, while the host is paused.
	Pause(on bool)
	// Stop ends it; nothing is reported afterwards.
	Stop()
}

// HealthEvent is a change of what the probes of a run say.
type HealthEvent struct {
	Change HealthChange
	Reason string
	Until  time.Time // of AskedForTime
}

// HealthChange is the kind of a HealthEvent.
type HealthChange int

// The changes.
const (
	StartupPassed  HealthChange = iota + 1
	StartupFailed               // failure_threshold times
	BecameReady                 // success_threshold times
	BecameNotReady              // failure_threshold times
	LivenessFailed              // failure_threshold times
	AskedForTime                // the program says that its start may take until then
)

// wellness is what the probes said of the current run.
type wellness struct {
	watch   HealthWatch // nil: nothing is asked
	tapped  HealthWatch // that sees the output
	asked   spec.Health
	started bool          // the startup probe passed, or there is none
	ready   bool          // of use now
	ever    bool          // it was ready once
	overdue bool          // update.timeout is over and it was never ready: nobody waits for it any more
	since   time.Time     // ready or not since
	until   time.Time     // the program asked that its start may take so long
	longest time.Duration // of former times of being ready
	why     string        // it isn't ready
	lost    string        // why it has to be ended
}

func asks(h spec.Health) bool { return h.Startup != nil || h.Readiness != nil || h.Liveness != nil }

// listen opens what the next run can be told by, for its environment.
func (i *instance) listen(s *spec.Service, req *process.Request) (Ear, error) {
	if i.env.probes == nil || !asks(s.Health) {
		return nil, nil
	}
	ear, err := i.env.probes.Listen(s)
	if err != nil || ear == nil {
		return nil, err
	}
	req.Env = append(req.Env, ear.Env()...)
	return ear, nil
}

// beginHealth begins to ask the run. Without probes a run is ready at once.
func (i *instance) beginHealth() {
	h := i.spec.Health
	i.well = wellness{started: h.Startup == nil, asked: h, since: time.Now()}
	if asks(h) && i.env.probes != nil {
		i.watchHealth()
	} else {
		i.well.started = true
	}
	if i.well.started && (h.Readiness == nil || i.well.watch == nil) {
		i.becomeReady(time.Now())
	}
}

func (i *instance) watchHealth() {
	r, s, env := i.run, i.spec, i.env
	var watch HealthWatch
	watch = env.probes.Watch(Watched{
		Ear: r.ear, Run: r.id, PID: r.ident.PID, Port: r.port, Spec: s,
		Exec: func(ctx context.Context, argv []string) error { return env.probeExec(ctx, s, r.port, r.id, argv) },
	}, func(e HealthEvent) {
		i.box.call(func(i *instance) {
			// What is asked no more may have been on its way when its watch ended.
			if o := i.holder(r); o != nil && o.well.watch == watch && !r.leaving() {
				o.onHealth(e)
			}
		})
	})
	i.well.watch = watch
	if i.target.paused {
		i.well.watch.Pause(true)
	}
	i.tap()
}

// lineSink hands the lines of a service to its probes.
type lineSink struct{ w HealthWatch }

func (s lineSink) Take(r logs.Record) { s.w.Line(r.Text) }

// tap has the probes see the output as long as that is of use: it costs a look at each line.
func (i *instance) tap() {
	w := i.well.watch
	if i.main != nil { // the tap is the current run's
		if w != nil && !w.WantsLines() {
			w = nil
		}
		i.run.tee.set(w)
		return
	}
	switch wants := w != nil && w.WantsLines(); {
	case wants && i.well.tapped != w:
		i.log.Tap(lineSink{w})
		i.well.tapped = w
	case !wants && i.well.tapped != nil:
		i.log.Tap(nil)
		i.well.tapped = nil
	}
}

// applyHealth takes over changed probes of a run. What it was found to be stays until the new ones say otherwise.
func (i *instance) applyHealth() {
	w, h := &i.well, i.spec.Health
	if i.run == nil || i.state != Running && i.state != Starting || i.env.probes == nil || reflect.DeepEqual(w.asked, h) {
		return
	}
	w.asked = h
	switch {
	case w.watch == nil && asks(h):
		i.watchHealth()
	case w.watch != nil && asks(h):
		w.watch.Apply(h)
	case w.watch != nil:
		i.endHealth()
	}
	i.tap()
	now := time.Now()
	if !w.started && h.Startup == nil {
		i.onHealth(HealthEvent{Change: StartupPassed})
	}
	if w.started && !w.ready && h.Readiness == nil {
		i.becomeReady(now)
	}
}

func (i *instance) endHealth() {
	if w := i.well.watch; w != nil {
		w.Stop()
		i.well.watch = nil
		i.tap()
	}
}

// onHealth takes what a probe of the current run found.
func (i *instance) onHealth(e HealthEvent) {
	if i.state != Running && i.state != Starting {
		return
	}
	now := time.Now()
	switch e.Change {
	case StartupPassed:
		i.well.started = true
		if i.well.asked.Readiness == nil {
			i.becomeReady(now)
		}
		if i.state == Starting {
			i.enter(Running, "")
		} else { // it took over before
			i.publish()
		}
	case BecameReady:
		i.becomeReady(now)
		i.publish()
	case BecameNotReady:
		i.becomeUnready(now, e.Reason)
	case StartupFailed:
		i.well.lost, i.well.why = "startup probe failed: "+e.Reason, e.Reason
	case LivenessFailed:
		i.well.lost = "liveness probe failed: " + e.Reason
	case AskedForTime:
		i.well.until = e.Until
	}
	i.tap()
}

func (i *instance) becomeReady(now time.Time) {
	w := &i.well
	if w.ready {
		return
	}
	again := w.ever
	w.ready, w.ever, w.why = true, true, ""
	if again {
		i.tellHealth(journal.Recovered, "ready again after "+text(now.Sub(w.since)))
	} else if w.asked.Readiness != nil || w.asked.Startup != nil {
		i.tellHealth(journal.Healthy, "ready "+text(now.Sub(i.run.started))+" after its start")
	}
	w.since = now
}

func (i *instance) becomeUnready(now time.Time, why string) {
	w := &i.well
	w.why = why
	if !w.ready {
		if !w.ever {
			i.publish()
		}
		return
	}
	w.longest = max(w.longest, now.Sub(w.since))
	w.ready, w.since = false, now
	i.tellHealth(journal.Unhealthy, "readiness probe failed: "+why)
	i.publish()
}

func (i *instance) tellHealth(k journal.Kind, reason string) {
	e := i.event(k, reason)
	e.PID = i.run.ident.PID
	probe := "readiness"
	if i.well.asked.Readiness == nil { // ready as soon as it has come up
		probe = "startup"
	}
	e.Details = map[string]string{journal.DetailProbe: probe}
	i.env.tell(e)
}

// wellFor is the longest time that the run was ready, until the given moment.
func (i *instance) wellFor(at time.Time) time.Duration {
	w := i.well
	if w.ready {
		return max(w.longest, at.Sub(w.since))
	}
	return w.longest
}

// stepHealth acts on what the probes found, and on the proof that a changed spec owes.
func (i *instance) stepHealth(now time.Time) bool {
	w, u := &i.well, i.spec.Update
	late := !w.ever && !w.overdue && u.Timeout > 0 && !now.Before(i.readyBy())
	if i.next.back && i.side != nil && i.side.pending() { // what replaces it is on its way
		return false
	}
	switch {
	case w.lost != "" && !i.target.paused:
		if i.proving && i.unproven(w.lost) {
			return i.goBack(now)
		}
		return i.beginStop(now, w.lost, endUnwell)
	case i.proving && late:
		if i.unproven(fmt.Sprintf("not ready within update.timeout, %s%s", text(u.Timeout), because(w.why))) {
			return i.goBack(now)
		}
		w.overdue = true
		i.publish()
		return !i.proving // then another spec may be wanted
	case i.proving && w.ever && !w.ready:
		if i.unproven("it did not stay ready" + because(w.why)) {
			return i.goBack(now)
		}
		if !i.proving {
			i.publish()
			return true
		}
	case i.proving && w.ready && now.Sub(w.since) >= u.Monitor:
		i.proved()
	case late:
		w.overdue = true
		i.publish()
	}
	return false
}

// readyBy is when update.timeout is over, or the time is that the program asked for.
func (i *instance) readyBy() time.Time {
	by := i.run.started.Add(i.spec.Update.Timeout)
	if i.well.until.After(by) {
		by = i.well.until
	}
	return by
}

func because(why string) string {
	if why == "" {
		return ""
	}
	return ": " + why
}

// healthDeadline adds the moments at which stepHealth has something to do by itself.
func (i *instance) healthDeadline(add func(time.Time)) {
	w, u := i.well, i.spec.Update
	if !w.ever && !w.overdue && u.Timeout > 0 {
		add(i.readyBy())
	}
	if i.proving && w.ready {
		add(w.since.Add(u.Monitor))
	}
}

// health is what status shows.
func (i *instance) health() Health {
	switch {
	case i.run == nil || i.state != Starting && i.state != Running:
		return HealthUnknown
	case i.well.ready:
		return HealthHealthy
	case i.well.ever || i.well.overdue || i.well.lost != "":
		return HealthUnhealthy
	}
	return HealthStarting
}

// probeExec runs the program of a probe.
func (e *environment) probeExec(ctx context.Context, s *spec.Service, port int, run process.RunID, argv []string) error {
	run.Task = fmt.Sprintf("probe.%d", e.errands.Add(1))
	argv = withPort(argv, port)
	vars := environ(e, s, port)
	path, err := resolve(e, argv[0], s, vars)
	if err != nil {
		return err
	}
	return e.runErrand(ctx, run, nil, runAs(e, s, port, process.Request{Path: path, Args: argv, Dir: s.Dir, Env: vars}))
}

// runErrand is errand with the error that says why it was no success.
func (e *environment) runErrand(ctx context.Context, id process.RunID, sink func([]byte), r process.Request) error {
	var last tailBuffer
	drain := lastWordsWait
	write := last.write
	if sink != nil { // all that it writes is wanted
		drain, write = drainTimeout, func(p []byte) {
			last.write(p)
			sink(p)
		}
	}
	exit, err := e.errand(ctx, id, r, drain, write)
	switch {
	case err != nil:
		return err
	case exit.Code == 0 && exit.Signal == "":
		return nil
	}
	if line := last.line(); line != "" {
		return errors.New(exitText(exit) + ": " + line)
	}
	return errors.New(exitText(exit))
}
