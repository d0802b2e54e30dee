// Package upgrade replaces the executable of the host by another version: it verifies the new one, puts
// it in place, has the service manager restart the service, waits until the new one has proved itself,
// and else goes back. It keeps a journal beside the executable, so that what a crash cuts short is
// finished or undone later. It knows neither the service manager nor the control channel: see Service.
package upgrade

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"servicehost/host/human"
)

// Service is the OS service that runs the executable.
type Service interface {
	// Stop and Start wait until the manager has done so.
	Stop(ctx context.Context) error
	Start(ctx context.Context) error
	// Look says how the service is now. It returns soon, also when nothing answers.
	Look(ctx context.Context) Look
}

// Look is how a service is at one moment.
type Look struct {
	// Down says, in the manager's words, that the service does not run; empty: it runs or starts.
	Down string
	// Version of the host that answers on its control channel; empty: none does, and Silent says why.
	Version string
	Silent  string
	// Running are the instances that run, Well those that run or are otherwise as they should be.
	Running, Well []string
}

// Options of Run.
type Options struct {
	// Exe is the executable that is replaced, links resolved. File is the new one.
	Exe, File string
	// SHA256 is what File must have, in hexadecimal digits; Checksums a file that says it, in the form of
	// sha256sum. With neither, File.sha256 is looked at if it is there.
	SHA256, Checksums string
	// Validate are the arguments with which an executable checks the present spec; nil: there is none.
	Validate []string
	// Service is restarted if it runs; nil: the executable is only replaced. ServiceName is for the journal.
	Service     Service
	ServiceName string
	// Downgrade allows an older version, Force the same one.
	Downgrade, Force bool
	// DryRun verifies and touches nothing.
	DryRun bool
	// Timeout is how long the new version has to prove itself once it was started.
	Timeout time.Duration
	// Say is told what is done, a line for each step. May be nil.
	Say func(line string)

	steady, poll time.Duration
	at           func(phase) // a test that ends the process
}

// Result is what Run did.
type Result struct {
	Exe     string `json:"exe"`
	Old     string `json:"old,omitempty"` // the former executable, kept until the next upgrade
	From    string `json:"from"`
	To      string `json:"to"`
	SHA256  string `json:"sha256"`
	Service string `json:"service,omitempty"`
	// Replaced is false where there was nothing to do, and in a dry run.
	Replaced  bool     `json:"replaced"`
	Restarted bool     `json:"restarted"`
	Notes     []string `json:"notes"` // never null
}

// Reverted is the error of an upgrade that was undone after the executable had been replaced.
type Reverted struct {
	From, To string
	Why      error
	// Left is why the former state could not be brought back in full; nil: it was.
	Left error
}

func (e *Reverted) Error() string {
	text := fmt.Sprintf("version %s did not prove itself: %v", e.To, e.Why)
	if e.Left != nil {
		return fmt.Sprintf("%s; and version %s could not be brought back in full: %v", text, e.From, e.Left)
	}
	return fmt.Sprintf("%s; version %s is back", text, e.From)
}

func (e *Reverted) Unwrap() error { return e.Why }

// stopTime bounds a stop, which takes as long as the stop ladders of the services.
const stopTime = 10 * time.Minute

// upgrade is one run.
type upgrade struct {
	Options
	j   *journal
	res Result
}

// Run upgrades. An error that is no *Reverted means that nothing was changed.
func Run(ctx context.Context, o Options) (Result, error) {
	u := &upgrade{Options: o, res: Result{Exe: o.Exe, Service: o.ServiceName, Notes: []string{}}}
	if u.steady == 0 {
		u.steady, u.poll = 3*time.Second, 200*time.Millisecond
	}
	if u.Timeout <= 0 {
		u.Timeout = time.Minute
	}
	var err error
	if u.File, err = filepath.Abs(u.File); err != nil { // what has no folder is looked for in PATH
		return u.res, err
	}
	want, err := u.wanted()
	if err != nil {
		return u.res, err
	}
	if err := checkImage(u.File); err != nil {
		return u.res, fmt.Errorf("cannot upgrade to %s: %w", human.Path(u.File), err)
	}
	if u.DryRun {
		if u.res.SHA256, err = sumOf(u.File); err != nil {
			return u.res, err
		}
		_, err = u.verify(ctx, u.File, want)
		return u.res, err
	}
	if u.j, err = openJournal(journalPath(u.Exe)); err != nil {
		return u.res, err
	}
	defer u.j.close()
	if u.j.last.Phase != "" {
		cut := u.j.last
		if err := u.recover(ctx); err != nil {
			return u.res, err
		}
		if u.File == oldPath(u.Exe) && !exists(u.File) { // to go back was all that was wanted
			u.res.From, u.res.To, u.res.Replaced, u.res.Restarted = cut.To, cut.From, true, cut.Restart
			return u.res, u.j.finish()
		}
	}
	return u.res, u.run(ctx, want)
}

func (u *upgrade) run(ctx context.Context, want string) error {
	if err := u.enter(record{Phase: prepared}); err != nil {
		return err
	}
	staged := newPath(u.Exe)
	sum, err := stage(u.File, staged, u.Exe)
	u.res.SHA256 = sum
	replace := false
	if err == nil {
		replace, err = u.verify(ctx, staged, want)
	}
	if err == nil && replace {
		err = ctx.Err()
	}
	if err != nil || !replace {
		return errors.Join(err, remove(staged), u.j.finish())
	}
	r := record{Phase: swapping, From: u.res.From, To: u.res.To, New: sum, Service: u.ServiceName}
	var before Look
	if u.Service != nil {
		before = u.Service.Look(ctx)
		r.Restart, r.Running = before.Down == "", before.Running
	}
	if err := u.enter(r); err != nil {
		return errors.Join(err, remove(staged))
	}
	u.say("putting version %s in place of %s", u.res.To, u.res.From)
	if err := swap(u.Exe, u.at); err != nil {
		return errors.Join(fmt.Errorf("cannot replace %s: %w", human.Path(u.Exe), err), remove(staged), u.j.finish())
	}
	u.res.Old = oldPath(u.Exe)
	leaveNote(u.Exe, newNote(Upgraded, r, "version %s, before %s", r.To, r.From)) // read by the version that starts next
	if !r.Restart {
		u.res.Replaced = true
		if u.Service != nil {
			u.note("service %q does not run (%s); it is version %s when it is started", u.ServiceName, before.Down, u.res.To)
		}
		return u.j.finish()
	}
	r.Phase = proving
	if err := u.enter(r); err != nil {
		return u.revert(ctx, r, err)
	}
	if err := u.restart(ctx, r); err != nil {
		return u.revert(ctx, r, err)
	}
	u.res.Replaced, u.res.Restarted = true, true
	return u.j.finish()
}

// enter makes a phase known before what it stands for is done.
func (u *upgrade) enter(r record) error {
	if err := u.j.write(r); err != nil {
		return fmt.Errorf("cannot upgrade: the journal %s can't be written: %w", human.Path(u.j.path), err)
	}
	if u.at != nil {
		u.at(r.Phase)
	}
	return nil
}

// restart has the manager run what is in place now and waits until it is as good as what ran before.
func (u *upgrade) restart(ctx context.Context, r record) error {
	u.say("stopping service %q", u.ServiceName)
	stop, cancel := context.WithTimeout(ctx, stopTime)
	defer cancel()
	if err := u.Service.Stop(stop); err != nil {
		return err
	}
	if u.at != nil {
		u.at(stopped)
	}
	return u.start(ctx, r.To, r.Running)
}

func (u *upgrade) start(ctx context.Context, version string, running []string) error {
	u.say("starting service %q with version %s", u.ServiceName, version)
	ctx, cancel := context.WithTimeout(ctx, u.Timeout)
	defer cancel()
	if err := u.Service.Start(ctx); err != nil {
		return err
	}
	return u.prove(ctx, version, running)
}

// prove waits until the version answers and all that ran before runs again, steadily.
func (u *upgrade) prove(ctx context.Context, version string, running []string) error {
	tick := time.NewTicker(u.poll)
	defer tick.Stop()
	var since time.Time
	for {
		l := u.Service.Look(ctx)
		missing := missingOf(running, l.Well)
		switch {
		case l.Down != "":
			return fmt.Errorf("the service does not stay up: %s", l.Down)
		case l.Version != version || len(missing) > 0:
			since = time.Time{}
		case since.IsZero():
			since = time.Now()
			u.say("version %s answers, and what ran before runs again", version)
		case time.Since(since) >= u.steady:
			return nil
		}
		select {
		case <-tick.C:
			continue
		case <-ctx.Done():
		}
		switch {
		case !errors.Is(ctx.Err(), context.DeadlineExceeded):
			return context.Cause(ctx)
		case l.Version == "":
			return fmt.Errorf("it did not answer within %s: %s", human.Duration(u.Timeout), l.Silent)
		case l.Version != version:
			return fmt.Errorf("version %s answers instead", l.Version)
		case len(missing) > 0:
			return fmt.Errorf("within %s it did not bring back what ran before: %s", human.Duration(u.Timeout), strings.Join(missing, ", "))
		}
		return fmt.Errorf("it was not steady within %s", human.Duration(u.Timeout))
	}
}

func missingOf(want, have []string) (missing []string) {
	set := map[string]bool{}
	for _, id := range have {
		set[id] = true
	}
	for _, id := range want {
		if !set[id] {
			missing = append(missing, id)
		}
	}
	return missing
}

// revert goes back to the former executable, also when ctx has ended.
func (u *upgrade) revert(ctx context.Context, r record, why error) error {
	u.say("going back to version %s: %v", r.From, why)
	ctx = context.WithoutCancel(ctx)
	r.Phase = reverting
	left := u.enter(r)
	if err := u.undo(ctx, r, newNote(Undone, r, "version %s did not prove itself: %v; version %s is back", r.To, why, r.From)); err != nil {
		left = err
	}
	if left == nil {
		left = u.j.finish()
	}
	u.res.Old = ""
	return &Reverted{From: r.From, To: r.To, Why: why, Left: left}
}

// undo brings back the former executable and the service with it, which finds the note when it starts.
func (u *upgrade) undo(ctx context.Context, r record, n Note) error {
	var stopErr error
	if r.Restart {
		stop, cancel := context.WithTimeout(ctx, stopTime)
		stopErr = u.Service.Stop(stop)
		cancel()
	}
	if err := unswap(u.Exe); err != nil {
		return errors.Join(fmt.Errorf("cannot put %s back: %w", human.Path(oldPath(u.Exe)), err), stopErr)
	}
	leaveNote(u.Exe, n)
	if !r.Restart {
		return nil
	}
	if err := u.start(ctx, r.From, r.Running); err != nil {
		return errors.Join(err, stopErr)
	}
	return nil // what runs now is the former version, however the stop went
}

func (u *upgrade) say(format string, args ...any) {
	if u.Say != nil {
		u.Say(fmt.Sprintf(format, args...))
	}
}

func (u *upgrade) note(format string, args ...any) {
	u.res.Notes = append(u.res.Notes, fmt.Sprintf(format, args...))
}

// The files beside an executable.
func oldPath(exe string) string     { return exe + ".old" }
func newPath(exe string) string     { return exe + ".new" }
func journalPath(exe string) string { return exe + ".upgrade.json" }

// Target is the executable that an upgrade by this one replaces: itself, or the one that it is the former
// or the next version of, so that these can bring back an executable that is gone.
func Target() (string, error) {
	exe, err := os.Executable()
	if err != nil {
		return "", fmt.Errorf("cannot find the own executable: %w", err)
	}
	if real, err := filepath.EvalSymlinks(exe); err == nil {
		exe = real
	}
	for _, suffix := range [...]string{".old", ".new"} {
		if base, ok := strings.CutSuffix(exe, suffix); ok {
			return base, nil
		}
	}
	return exe, nil
}
