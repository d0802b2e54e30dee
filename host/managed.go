package host

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"time"

	"servicehost/host/control"
	"servicehost/host/human"
	"servicehost/host/journal"
	"servicehost/host/supervisor"
	"servicehost/spec"
)

// foreground is the manager of a host that has none.
type foreground struct{}

func (foreground) Ready()                          {}
func (foreground) Reloading()                      {}
func (foreground) Reloaded()                       {}
func (foreground) Status(string)                   {}
func (foreground) Budget(time.Duration)            {}
func (foreground) Stopping(time.Duration)          {}
func (foreground) Progress(int)                    {}
func (foreground) Alive()                          {}
func (foreground) WatchdogInterval() time.Duration { return 0 }

// stopMargin is what a stop takes beside the services: the last lines of their logs, the guard, the
// state folder.
const stopMargin = 10 * time.Second

// StopBudget is how long a host with these settings may take from the signal to its end.
func StopBudget(s spec.Host) time.Duration { return s.ShutdownTimeout + stopMargin }

// byManager is the actor of what the service manager asks for.
const byManager = "the service manager"

// tellReloaded ends what Reloading began: the edit may have changed how long a stop takes.
func (h *Host) tellReloaded() {
	h.opt.Manager.Budget(h.stopBudget())
	h.opt.Manager.Reloaded()
	h.stir()
}

// followManager begins to tell the service manager how the host is, and to do what it asks for. The
// returned function ends that.
func (h *Host) followManager(ctx context.Context) (end func()) {
	if !h.opt.Managed {
		return func() {}
	}
	if w, ok := h.opt.Manager.(interface{ OnWarning(f func(string)) }); ok {
		w.OnWarning(func(message string) {
			h.publish(journal.Event{Kind: journal.Warning, Actor: byManager, Reason: message})
		})
	}
	done := make(chan struct{})
	var work sync.WaitGroup
	work.Go(func() { h.tellStatus(done) })
	work.Go(func() { h.tellAlive(done) })
	work.Go(func() { h.obey(ctx) })
	return func() {
		close(done)
		work.Wait()
	}
}

// obey carries out what the service manager asks for, one after the other.
func (h *Host) obey(ctx context.Context) {
	for {
		select {
		case c, ok := <-h.opt.Controls:
			if !ok {
				return
			}
			h.carryOut(ctx, c)
		case <-ctx.Done():
			return
		}
	}
}

func (h *Host) carryOut(ctx context.Context, c Control) {
	var err error
	switch c {
	case ControlReload:
		if h.pausedNow(true) {
			h.log.Warn("the host is paused: what the files say is taken in by host resume")
			return
		}
		// Not waited for: what comes next may be the question why it takes so long.
		err = h.inLoop(ctx, func() { h.takeIn(h.ctx, control.ReloadRequest{Actor: byManager}, false) })
	case ControlRotate:
		err = h.rotateAll(ctx, byManager)
	case ControlDump:
		var path string
		if path, err = h.dump(time.Now()); err == nil {
			h.log.Info("state written to " + human.Path(path))
		}
	case ControlSession:
		h.sup.SessionChanged()
	case ControlResume:
		h.log.Info("the machine woke up")
		h.resumed()
	}
	if err != nil && ctx.Err() == nil {
		h.publish(journal.Event{Kind: journal.Warning, Actor: byManager, Reason: fmt.Sprintf("cannot do %q: %v", c, err)})
	}
}

// rotateAll begins new files for all services and for the host's own log.
func (h *Host) rotateAll(ctx context.Context, actor string) error {
	_, err := h.Act(ctx, control.ActRequest{Verb: control.VerbRotate, All: true, Actor: actor})
	return err
}

// resumed makes up for the time that the machine slept: timers stood still meanwhile, moments in time did
// not, and changes on network drives were told to nobody.
func (h *Host) resumed() {
	h.sup.Resumed()
	h.watcher.Recheck()
	h.binaries.recheck()
}

// statusQuiet is how long changes are collected before the manager is told of them.
const statusQuiet = 500 * time.Millisecond

// stir says that the line for the manager may have changed.
func (h *Host) stir() {
	select {
	case h.stirred <- struct{}{}:
	default:
	}
}

// tellStatus keeps the status line of the manager in step, and tells the progress of a stop.
func (h *Host) tellStatus(done <-chan struct{}) {
	var line string
	left := -1
	for {
		select {
		case <-h.stirred:
		case <-done:
			return
		}
		if h.isStopping() {
			if n := h.alive(); n != left {
				left = n
				h.opt.Manager.Progress(n)
				h.opt.Manager.Status("stopping, " + human.Count(n, "service") + " left")
			}
			continue
		}
		if now := h.statusLine(); now != line {
			line = now
			h.opt.Manager.Status(line)
		}
		select {
		case <-time.After(statusQuiet):
		case <-h.ended():
		case <-done:
			return
		}
	}
}

// tellAlive tells the manager that the coordinator answers, for as long as it does: while the
// services are being stopped, too.
func (h *Host) tellAlive(done <-chan struct{}) {
	every := h.opt.Manager.WatchdogInterval()
	if every <= 0 {
		return
	}
	tick := time.NewTicker(every)
	defer tick.Stop()
	for {
		h.sup.Ping()
		h.opt.Manager.Alive()
		select {
		case <-tick.C:
		case <-done:
			return
		}
	}
}

// maxStatusLine is what a line for the manager may hold: it is a line, not a report.
const maxStatusLine = 300

// statusLine is how the host stands, in one line: "6 services, 5 as desired".
func (h *Host) statusLine() string {
	good, rolledBack := 0, ""
	snaps := h.sup.Snapshots()
	for _, p := range snaps {
		if asDesired(p) {
			good++
		}
		if p.SpecState == supervisor.SpecRolledBack && rolledBack == "" {
			rolledBack = p.ID
		}
	}
	line := fmt.Sprintf("%s, %d as desired", human.Count(len(snaps), "service"), good)
	v := h.view(rolledBack)
	switch v.State {
	case control.SpecRejected:
		if v.Reason != "" {
			line += "; RUNNING WHAT WORKED LAST"
		}
		line += "; spec rejected: " + rejection(v.Problems)
	case control.SpecPending:
		if h.isHeld() {
			line += "; an edit is held: " + v.Reason
		}
	case control.SpecLastGood:
		line += "; RUNNING WHAT WORKED LAST: " + v.Reason
	case control.SpecRolledBack:
		line += fmt.Sprintf("; %q was rolled back", rolledBack)
	}
	line = strings.Join(strings.Fields(line), " ")
	if len(line) > maxStatusLine {
		line = strings.ToValidUTF8(line[:maxStatusLine], "") + "…"
	}
	return line
}

// alive counts the services that still have a process.
func (h *Host) alive() (n int) {
	for _, p := range h.sup.Snapshots() {
		if p.PID != 0 {
			n++
		}
	}
	return n
}
