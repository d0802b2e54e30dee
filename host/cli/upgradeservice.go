package cli

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"time"

	"servicehost/host/control"
	"servicehost/host/osservice"
	"servicehost/host/upgrade"
)

// upgradeService is the installed service that runs the executable, as an upgrade sees it.
type upgradeService struct {
	manager osservice.Installer
	name    string
	args    []string // of its command
}

// serviceOf finds the service that is to be restarted. None is no error, unless one was named.
func (a *app) serviceOf(ctx context.Context, exe string) (*upgradeService, []string, error) {
	name, err := a.serviceName()
	if err != nil {
		return nil, nil, err
	}
	alone := []string{"no service was restarted: a host that runs goes on with the former version until it is started anew"}
	manager, err := osservice.New()
	if err != nil {
		if a.name == "" {
			return nil, alone, nil
		}
		return nil, nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, askTime)
	defer cancel()
	st, err := manager.Status(ctx, name)
	if _, missing := errors.AsType[*osservice.NotInstalled](err); missing && a.name == "" {
		return nil, alone, nil
	}
	if err != nil {
		return nil, nil, err
	}
	words := osservice.Words(st.Command)
	if len(words) > 0 && !sameFile(words[0], exe) {
		if a.name == "" {
			return nil, append(alone, fmt.Sprintf("service %q runs another executable, %s", name, words[0])), nil
		}
		return nil, nil, withHint("upgrade it with that one", "service %q runs another executable, %s, not %s", name, words[0], exe)
	}
	s := &upgradeService{manager: manager, name: name}
	if len(words) > 0 {
		s.args = words[1:]
	}
	return s, nil, nil
}

func sameFile(a, b string) bool {
	x, err := os.Stat(a)
	if err != nil {
		return a == b
	}
	y, err := os.Stat(b)
	return err == nil && os.SameFile(x, y)
}

func (s *upgradeService) Stop(ctx context.Context) error  { return s.manager.Stop(ctx, s.name) }
func (s *upgradeService) Start(ctx context.Context) error { return s.manager.Start(ctx, s.name) }

// lookTime bounds one look: a host that has just started may not answer yet.
const lookTime = 5 * time.Second

func (s *upgradeService) Look(ctx context.Context) upgrade.Look {
	ctx, cancel := context.WithTimeout(ctx, lookTime)
	defer cancel()
	st, err := s.manager.Status(ctx, s.name)
	if err != nil {
		return upgrade.Look{Silent: err.Error()}
	}
	switch st.State {
	case osservice.Running, osservice.Starting:
	case osservice.Stopped, osservice.Failed, osservice.Stopping, osservice.Paused:
		down := "it is " + string(st.State)
		if st.Detail != "" {
			down += ": " + st.Detail
		}
		return upgrade.Look{Down: down}
	}
	e, ok := s.entryOf(ctx, st.PID)
	if !ok {
		return upgrade.Look{Silent: fmt.Sprintf("no host with pid %d is there to be asked", st.PID)}
	}
	c := control.NewClient(e)
	defer c.Close()
	status, err := c.Status(ctx)
	if err != nil {
		return upgrade.Look{Silent: err.Error()}
	}
	l := upgrade.Look{Version: status.Host.Version}
	for _, one := range status.Services {
		runs := one.State == "running"
		if runs {
			l.Running = append(l.Running, one.ID)
		}
		if runs || one.AsDesired {
			l.Well = append(l.Well, one.ID)
		}
	}
	return l
}

// entry is the registration of the host that the service runs.
func (s *upgradeService) entry(ctx context.Context) (control.Entry, bool) {
	ctx, cancel := context.WithTimeout(ctx, lookTime)
	defer cancel()
	st, err := s.manager.Status(ctx, s.name)
	if err != nil {
		return control.Entry{}, false
	}
	return s.entryOf(ctx, st.PID)
}

func (s *upgradeService) entryOf(ctx context.Context, pid int) (control.Entry, bool) {
	all, err := control.Running(ctx)
	if err != nil {
		return control.Entry{}, false
	}
	i := slices.IndexFunc(all, func(e control.Entry) bool { return e.PID == pid })
	if i < 0 {
		return control.Entry{}, false
	}
	return all[i], true
}

// validateArgs is how the present spec is checked: that of the service, the one that the flags mean, or
// that of the only host that runs. Nil: there is none.
func (a *app) validateArgs(ctx context.Context, s *upgradeService) ([]string, error) {
	files, err := a.chosenFiles()
	if err != nil {
		return nil, err
	}
	args := []string{"validate", "-o", "json"}
	if len(files) == 0 && s != nil {
		if own := specArgs(s.args); len(own) > 0 {
			return append(args, own...), nil
		}
	}
	if len(files) == 0 {
		if c, err := a.client(ctx); err == nil {
			files = c.Entry().Files
			c.Close()
		}
	}
	if len(files) == 0 {
		if files, err = a.specFiles(); err != nil {
			return nil, nil //nolint:nilerr // there is no spec that could be checked
		}
	}
	return append(args, a.specFlags(files)...), nil
}

// specFlags name files, profiles and variables on a command line.
func (a *app) specFlags(files []string) []string {
	all := a.serviceArgs("", files)
	return specArgs(all)
}

// specArgs are what of a command line says which spec is meant.
func specArgs(args []string) (out []string) {
	for n := 0; n+1 < len(args); n++ {
		switch args[n] {
		case "-f", "--profile", "--set":
			out = append(out, args[n], args[n+1])
			n++
		}
	}
	return out
}

// takeUpUpgrade looks after an upgrade that was cut short, before a host begins under the service manager, and
// returns what became of the last one.
func (a *app) takeUpUpgrade() (unproved string, note *upgrade.Note, err error) {
	exe, err := upgrade.Target()
	if err != nil {
		return "", nil, err
	}
	r, err := upgrade.AtStart(exe)
	if err != nil { // the host is more important
		fmt.Fprintln(a.Stderr, "cannot look after an upgrade that was cut short:", err)
		return "", &upgrade.Note{At: a.now(), Outcome: upgrade.CutShort, Reason: err.Error()}, nil
	}
	if r.Restart {
		return "", nil, errors.New(r.Note.Reason)
	}
	if note = r.Note; note == nil {
		if last, ok := upgrade.LastNote(exe); ok {
			note = &last
		}
	} else {
		fmt.Fprintln(a.Stderr, note.Reason)
	}
	if r.Unproved {
		unproved = exe
	}
	return unproved, note, nil
}

// provingService ends an upgrade that was cut short when the host is ready.
type provingService struct {
	*osservice.Service
	app *app
	exe string
}

func (s *provingService) Ready() {
	s.Service.Ready()
	if err := upgrade.Proved(s.exe); err != nil {
		fmt.Fprintln(s.app.Stderr, "cannot end an upgrade that was cut short:", err)
	}
}
