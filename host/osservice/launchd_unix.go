//go:build linux || darwin

package osservice

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// launchd installs the host as a daemon of macOS. It is not limited to macOS in the build, so that its tests run
// everywhere.
type launchd struct {
	dir string
	// launchctl runs it and returns what it wrote.
	launchctl func(ctx context.Context, args ...string) (string, error)
	front     func(label, plist string) (front, error)
	root      bool
}

func (l *launchd) path(name string) string { return filepath.Join(l.dir, name+".plist") }

func target(name string) string { return "system/" + name }

var errOnlyRoot = errors.New("only root can; run it with sudo")

func (l *launchd) Install(ctx context.Context, c Config) (Result, error) {
	var r Result
	fail := func(err error) (Result, error) { return r, fmt.Errorf("cannot install service %q: %w", c.Name, err) }
	if !l.root {
		return fail(errOnlyRoot)
	}
	if err := checkAccount(c.Account); err != nil {
		return fail(err)
	}
	if c.Start == StartDelayed {
		r.Warnings = append(r.Warnings, "launchd has no delayed start; it is auto")
		c.Start = StartAuto
	}
	if c.Password != "" {
		r.Warnings = append(r.Warnings, "launchd needs no password for an account; it was not used")
	}
	if len(c.Dependencies) > 0 {
		r.Warnings = append(r.Warnings, "launchd knows no dependencies between daemons; --depend has no effect")
	}
	text := plist(c)
	old, err := os.ReadFile(l.path(c.Name))
	switch {
	case errors.Is(err, fs.ErrNotExist):
		r.Created = true
		f, err := l.front(c.Name, text)
		if err == nil {
			err = f.Install()
		}
		if err != nil {
			_ = os.Remove(l.path(c.Name)) // half of an install is none
			return fail(err)
		}
	case err != nil:
		return fail(err)
	case !strings.Contains(string(old), plistMark):
		return fail(fmt.Errorf("%s was not made by host install; choose another name with --name", l.path(c.Name)))
	default:
		r.Changed = changes(plistValues(string(old)), plistValues(text), plistWord)
		if was := plistStart(string(old)); was != c.Start {
			r.Changed = append(r.Changed, fmt.Sprintf("start: %s → %s", was, c.Start))
		}
		if string(old) != text {
			if err := replaceFile(l.path(c.Name), text); err != nil {
				return fail(err)
			}
		}
	}
	if err := l.allow(ctx, c.Name, c.Start == StartAuto); err != nil {
		return fail(err)
	}
	return r, nil
}

// allow says whether launchd loads the daemon, with the system and by hand.
func (l *launchd) allow(ctx context.Context, name string, on bool) error {
	verb := "disable"
	if on {
		verb = "enable"
	}
	_, err := l.launchctl(ctx, verb, target(name))
	return err
}

func (l *launchd) Uninstall(ctx context.Context, name string) error {
	if _, err := l.ours(name); err != nil {
		return err
	}
	fail := func(err error) error { return fmt.Errorf("cannot uninstall service %q: %w", name, err) }
	if !l.root {
		return fail(errOnlyRoot)
	}
	if err := l.Stop(ctx, name); err != nil {
		return err
	}
	f, err := l.front(name, "")
	if err == nil {
		err = f.Uninstall()
	}
	if err != nil {
		return fail(err)
	}
	_ = l.allow(ctx, name, true) // no word on a daemon that is no more
	return nil
}

// ours returns the plist, if it is there and of Install.
func (l *launchd) ours(name string) (string, error) {
	text, err := os.ReadFile(l.path(name))
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return "", &NotInstalled{Name: name}
	case err != nil:
		return "", err
	case !strings.Contains(string(text), plistMark):
		return "", fmt.Errorf("service %q was not installed by host: see %s", name, l.path(name))
	}
	return string(text), nil
}

// pollLaunchd is how often launchd is asked while something is waited for: it tells nobody by itself.
const pollLaunchd = 100 * time.Millisecond

// await asks until done says so.
func (l *launchd) await(ctx context.Context, name string, done func(Status) bool) (Status, error) {
	for {
		st, err := l.Status(ctx, name)
		if err != nil || done(st) {
			return st, err
		}
		select {
		case <-time.After(pollLaunchd):
		case <-ctx.Done():
			return st, fmt.Errorf("it is still %s", st.State)
		}
	}
}

func (l *launchd) Start(ctx context.Context, name string) error {
	text, err := l.ours(name)
	if err != nil {
		return err
	}
	fail := func(err error) error { return fmt.Errorf("cannot start service %q: %w", name, err) }
	if plistStart(text) == StartDisabled {
		return fail(errors.New("it is disabled; install it with another start type: host install --start auto"))
	}
	st, err := l.Status(ctx, name)
	if err != nil || st.State == Running {
		return err
	}
	if !l.root {
		return fail(errOnlyRoot)
	}
	if l.loaded(ctx, name) {
		_, err = l.launchctl(ctx, "kickstart", target(name))
	} else if err = l.allow(ctx, name, true); err == nil {
		_, err = l.launchctl(ctx, "bootstrap", "system", l.path(name))
		if plistStart(text) == StartManual {
			err = errors.Join(err, l.allow(ctx, name, false)) // concerns the next start of the system
		}
	}
	if err != nil {
		return fail(err)
	}
	st, err = l.await(ctx, name, func(s Status) bool { return s.State == Running || s.State == Failed })
	if err == nil && st.State == Failed {
		err = errors.New(st.Detail)
	}
	if err != nil {
		return fail(err)
	}
	return nil
}

func (l *launchd) Stop(ctx context.Context, name string) error {
	if _, err := l.ours(name); err != nil {
		return err
	}
	if !l.loaded(ctx, name) {
		return nil
	}
	fail := func(err error) error { return fmt.Errorf("cannot stop service %q: %w", name, err) }
	if !l.root {
		return fail(errOnlyRoot)
	}
	// Not "kill": a daemon that is loaded may be started again by launchd.
	if _, err := l.launchctl(ctx, "bootout", target(name)); err != nil && !strings.Contains(err.Error(), "in progress") {
		return fail(err)
	}
	for l.loaded(ctx, name) { // until its process has ended
		select {
		case <-time.After(pollLaunchd):
		case <-ctx.Done():
			return fail(errors.New("it is still stopping"))
		}
	}
	return nil
}

func (l *launchd) loaded(ctx context.Context, name string) bool {
	_, err := l.launchctl(ctx, "print", target(name))
	return err == nil
}

func (l *launchd) Status(ctx context.Context, name string) (Status, error) {
	text, err := l.ours(name)
	if err != nil {
		return Status{}, err
	}
	v := plistValues(text)
	st := Status{Name: name, State: Stopped, Start: plistStart(text), Account: "root", Command: v.of["ProgramArguments"]}
	if u := v.of["UserName"]; u != "" {
		st.Account = u
	}
	out, err := l.launchctl(ctx, "print", target(name))
	if err != nil {
		return st, ctx.Err() // not loaded
	}
	p := printed(out)
	code, _, _ := strings.Cut(p["last exit code"], ":") // some versions say what an errno would be called
	st.PID, st.ExitCode = number(p["pid"]), number(code)
	switch {
	case st.PID != 0:
		st.State = Running
	case st.ExitCode != 0:
		st.State, st.Detail = Failed, fmt.Sprintf("it ended with exit code %d, and launchd starts it again; see /Library/Logs/%s.log", st.ExitCode, name)
	case p["state"] == "spawn scheduled":
		st.State = Starting
	}
	return st, nil
}

// printed are the values of launchctl print on the first level: "\tstate = running".
func printed(out string) map[string]string {
	p := map[string]string{}
	for line := range strings.Lines(out) {
		if !strings.HasPrefix(line, "\t") || strings.HasPrefix(line, "\t\t") {
			continue
		}
		if key, value, ok := strings.Cut(strings.TrimSpace(line), " = "); ok {
			p[key] = value
		}
	}
	return p
}
