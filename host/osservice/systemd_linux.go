package osservice

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

const (
	unitDir       = "/etc/systemd/system"
	systemdBooted = "/run/systemd/system" // as sd_booted(3) tells
)

// systemd installs the host as a unit of the system.
type systemd struct {
	dir string // of the units that the administrator has
	// systemctl runs it and returns what it wrote.
	systemctl func(ctx context.Context, args ...string) (string, error)
	// front makes and removes the unit.
	front func(name, unit string) (front, error)
	root  bool
}

// New returns the service manager of this system.
func New() (Installer, error) {
	if _, err := os.Stat(systemdBooted); err != nil {
		return nil, errors.New("this system is not run by systemd; have its own service manager, or the entry point of the container, start: host run --last-good -f FILE")
	}
	return &systemd{dir: unitDir, systemctl: systemctl, front: kardianosFront, root: os.Geteuid() == 0}, nil
}

func systemctl(ctx context.Context, args ...string) (string, error) {
	cmd := exec.CommandContext(ctx, "systemctl", args...)
	cmd.Env = append(os.Environ(), "LC_ALL=C", "SYSTEMD_COLORS=0", "SYSTEMD_PAGER=")
	var out, errs strings.Builder
	cmd.Stdout, cmd.Stderr = &out, &errs
	err := cmd.Run()
	if ctx.Err() != nil {
		return out.String(), fmt.Errorf("not done in time: %w", ctx.Err())
	}
	if text := oneLine(errs.String()); err != nil && text != "" {
		return out.String(), errors.New(text)
	}
	return out.String(), err
}

func (s *systemd) Install(ctx context.Context, c Config) (Result, error) {
	var r Result
	fail := func(err error) (Result, error) {
		return r, fmt.Errorf("cannot install service %q: %w", c.Name, err)
	}
	if !s.root {
		return fail(errors.New("only root can; run it with sudo"))
	}
	if err := checkUnit(c); err != nil {
		return fail(err)
	}
	if c.Start == StartDelayed {
		r.Warnings = append(r.Warnings, "systemd has no delayed start; it is auto")
		c.Start = StartAuto
	}
	if c.Password != "" {
		r.Warnings = append(r.Warnings, "systemd needs no password for an account; it was not used")
	}
	path, text := filepath.Join(s.dir, unitName(c.Name)), unit(c)
	old, err := os.ReadFile(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		if err := s.mayCreate(ctx, c.Name); err != nil {
			return fail(err)
		}
		r.Created = true
		if err := s.create(ctx, c, path, text); err != nil {
			return fail(err)
		}
		return r, nil
	case err != nil:
		return fail(err)
	case !strings.Contains(string(old), unitMark):
		return fail(fmt.Errorf("%s was not made by host install; choose another name with --name", path))
	}
	r.Changed = unitChanges(string(old), text)
	if string(old) != text {
		if err := replaceFile(path, text); err != nil {
			return fail(err)
		}
		if _, err := s.systemctl(ctx, "daemon-reload"); err != nil {
			return fail(err)
		}
	}
	was, err := s.enabled(ctx, c.Name)
	if err != nil {
		return fail(err)
	}
	if is := c.Start == StartAuto; was != is {
		r.Changed = append(r.Changed, fmt.Sprintf("start: %s → %s", startWord(was), startWord(is)))
		if err := s.enable(ctx, c.Name, is); err != nil {
			return fail(err)
		}
	}
	return r, nil
}

// mayCreate refuses a name that a unit of somebody else has elsewhere: ours would replace it.
func (s *systemd) mayCreate(ctx context.Context, name string) error {
	p, err := s.show(ctx, name)
	if err != nil {
		return err
	}
	if at := p["FragmentPath"]; at != "" && filepath.Dir(at) != s.dir {
		return fmt.Errorf("there is a unit with this name, %s; choose another one with --name", at)
	}
	return nil
}

func (s *systemd) create(ctx context.Context, c Config, path, text string) error {
	f, err := s.front(c.Name, text)
	if err != nil {
		return err
	}
	if err := f.Install(); err != nil {
		why := s.enable(ctx, c.Name, true) // says what the front does not
		_ = os.Remove(path)                // half of an install is none
		_, _ = s.systemctl(ctx, "daemon-reload")
		if why != nil {
			err = why
		}
		return err
	}
	if c.Start == StartAuto {
		return nil
	}
	return s.enable(ctx, c.Name, false)
}

func (s *systemd) enable(ctx context.Context, name string, on bool) error {
	verb := "disable"
	if on {
		verb = "enable"
	}
	_, err := s.systemctl(ctx, verb, unitName(name))
	return err
}

func (s *systemd) enabled(ctx context.Context, name string) (bool, error) {
	p, err := s.show(ctx, name)
	return strings.HasPrefix(p["UnitFileState"], "enabled"), err
}

func startWord(enabled bool) string {
	if enabled {
		return string(StartAuto)
	}
	return string(StartManual)
}

// checkUnit refuses what a unit can't say.
func checkUnit(c Config) error {
	if err := checkAccount(c.Account); err != nil {
		return err
	}
	for _, d := range c.Dependencies {
		if d == "" || strings.ContainsAny(d, " \t\r\n/\\\"'") {
			return fmt.Errorf("%q can't be the name of a unit to depend on", d)
		}
	}
	if strings.ContainsAny(c.Dir, "\r\n") {
		return fmt.Errorf("a unit can't have a folder with a line break in its name: %q", c.Dir)
	}
	return nil
}

func (s *systemd) Uninstall(ctx context.Context, name string) error {
	if err := s.ours(name); err != nil {
		return err
	}
	fail := func(err error) error { return fmt.Errorf("cannot uninstall service %q: %w", name, err) }
	if !s.root {
		return fail(errors.New("only root can; run it with sudo"))
	}
	if err := s.Stop(ctx, name); err != nil {
		return err
	}
	f, err := s.front(name, "")
	if err != nil {
		return fail(err)
	}
	if err := f.Uninstall(); err != nil {
		if why := s.enable(ctx, name, false); why != nil {
			err = why
		}
		return fail(err)
	}
	_, _ = s.systemctl(ctx, "reset-failed", unitName(name)) // fails where it had not failed
	return nil
}

// ours reports an error unless the unit is there and of Install.
func (s *systemd) ours(name string) error {
	path := filepath.Join(s.dir, unitName(name))
	text, err := os.ReadFile(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return &NotInstalled{Name: name}
	case err != nil:
		return err
	case !strings.Contains(string(text), unitMark):
		return fmt.Errorf("service %q was not installed by host: see %s", name, path)
	}
	return nil
}
