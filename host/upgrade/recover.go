package upgrade

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"

	"servicehost/host/human"
)

// recover brings an upgrade that was cut short to an end, before another one begins.
func (u *upgrade) recover(ctx context.Context) error {
	last := u.j.last
	u.say("an upgrade to version %s was cut short (%s)", orUnknown(last.To), last.Phase)
	fail := func(err error) error {
		return fmt.Errorf("cannot undo the upgrade that was cut short: %w; the journal is %s", err, human.Path(u.j.path))
	}
	if last.Phase == prepared {
		return errors.Join(remove(newPath(u.Exe)), u.j.clear())
	}
	if last.Restart && (u.Service == nil || last.Service != u.ServiceName) {
		return fail(fmt.Errorf("it was about service %q: name that with --name", last.Service))
	}
	isNew, err := isFile(u.Exe, last.New)
	if err != nil {
		return fail(err)
	}
	if last.Phase == proving && isNew && u.proved(ctx, last) {
		kept := newNote(CutShort, last, "the upgrade to version %s that was cut short had done well and is kept", last.To)
		leaveNote(u.Exe, kept)
		u.note("%s", kept.Reason)
		return u.j.clear()
	}
	undone := newNote(CutShort, last, "the upgrade to version %s that was cut short is undone", last.To)
	if isNew || !exists(u.Exe) {
		last.Phase = reverting
		if err := u.enter(last); err != nil {
			return err
		}
		if err := u.undo(ctx, last, undone); err != nil {
			return fail(err)
		}
	} else if leaveNote(u.Exe, undone); last.Restart && u.Service.Look(ctx).Down != "" { // it went while the service was stopped
		if err := u.start(ctx, last.From, last.Running); err != nil {
			return fail(err)
		}
	}
	u.note("%s", undone.Reason)
	return errors.Join(remove(newPath(u.Exe)), u.j.clear())
}

// proved reports whether the service of an upgrade whose end nobody saw does as well as before.
func (u *upgrade) proved(ctx context.Context, r record) bool {
	l := u.Service.Look(ctx)
	return l.Down == "" && l.Version == r.To && len(missingOf(r.Running, l.Well)) == 0
}

// Resumed is what a starting host has to know of an upgrade that was cut short.
type Resumed struct {
	// Note says what was found; nil: nothing. It is left for LastNote, too.
	Note *Note
	// Restart says that the executable at the path is another one now, and this process should not go on.
	Restart bool
	// Unproved is set where this host is the new version: call Proved once it is up.
	Unproved bool
}

// AtStart is for a host that a service manager starts, before it does anything else. It does nothing while
// the upgrade still is in progress: that looks after the host by itself.
func AtStart(exe string) (Resumed, error) {
	j, err := lockJournal(journalPath(exe), 0)
	if errors.Is(err, fs.ErrNotExist) || errors.Is(err, errBusy) {
		return Resumed{}, nil
	}
	if err != nil {
		return Resumed{}, err
	}
	defer j.close()
	r := j.last
	switch r.Phase {
	case prepared, "":
		return Resumed{}, errors.Join(remove(newPath(exe)), j.finish())
	case swapping, proving, reverting, aside, stopped:
	}
	note := func(o Outcome, format string, args ...any) *Note {
		n := newNote(o, r, format, args...)
		leaveNote(exe, n)
		return &n
	}
	isNew, err := isFile(exe, r.New)
	switch {
	case err != nil:
		return Resumed{}, err
	case !isNew:
		return Resumed{Note: note(CutShort, "the upgrade to version %s that was cut short is undone", r.To)}, errors.Join(remove(newPath(exe)), j.finish())
	case r.Phase != reverting:
		return Resumed{Note: note(CutShort, "the upgrade to version %s was cut short; it is kept if this start succeeds", r.To), Unproved: true}, nil
	}
	if err := unswap(exe); err != nil {
		return Resumed{}, fmt.Errorf("cannot go back to version %s: %w", r.From, err)
	}
	back := note(Undone, "version %s did not prove itself, and going back was cut short; version %s is in place again", r.To, r.From)
	return Resumed{Note: back, Restart: true}, j.finish()
}

// Proved ends an upgrade that was cut short, for the new version is up.
func Proved(exe string) error {
	j, err := lockJournal(journalPath(exe), 0)
	if errors.Is(err, fs.ErrNotExist) || errors.Is(err, errBusy) {
		return nil
	}
	if err != nil {
		return err
	}
	defer j.close()
	return j.finish()
}

func isFile(path, sum string) (bool, error) {
	have, err := sumOf(path)
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	return err == nil && have == sum, err
}

func exists(path string) bool {
	_, err := os.Lstat(path)
	return err == nil
}

func orUnknown(s string) string {
	if s == "" {
		return "unknown"
	}
	return s
}
