package osservice

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

func (s *systemd) Start(ctx context.Context, name string) error {
	st, err := s.Status(ctx, name)
	if err != nil || st.State == Running {
		return err
	}
	_, _ = s.systemctl(ctx, "--no-ask-password", "reset-failed", unitName(name)) // a start by hand begins anew
	if _, err := s.systemctl(ctx, "--no-ask-password", "start", unitName(name)); err != nil {
		return s.failed(ctx, "start", name, err)
	}
	return nil
}

func (s *systemd) Stop(ctx context.Context, name string) error {
	if err := s.ours(name); err != nil {
		return err
	}
	if _, err := s.systemctl(ctx, "--no-ask-password", "stop", unitName(name)); err != nil {
		return s.failed(ctx, "stop", name, err)
	}
	return nil
}

// failed says why the manager did not do what it was asked for, and where more stands.
func (s *systemd) failed(ctx context.Context, verb, name string, err error) error {
	text := oneLine(err.Error())
	switch {
	case ctx.Err() != nil:
	case strings.Contains(text, "uthentication required"), strings.Contains(text, "Access denied"):
		return fmt.Errorf("cannot %s service %q: only root can; run it with sudo", verb, name)
	case strings.Contains(text, "Operation refused"):
		return fmt.Errorf("cannot %s service %q: it is disabled; install it with another start type: host install --start auto", verb, name)
	default:
		if p, e := s.show(ctx, name); e == nil {
			if why := endOf(p); why != "" {
				text = why
			}
		}
	}
	return fmt.Errorf("cannot %s service %q: %s; journalctl -u %s -n 30 shows more", verb, name, text, name)
}

// shown are the properties of a unit that are asked for.
var shown = []string{
	"LoadState", "ActiveState", "SubState", "MainPID", "UnitFileState", "User", "ExecStart", "StatusText", "Result",
	"ExecMainCode", "ExecMainStatus", "RefuseManualStart", "FragmentPath",
}

func (s *systemd) show(ctx context.Context, name string) (map[string]string, error) {
	out, err := s.systemctl(ctx, "show", "--property="+strings.Join(shown, ","), unitName(name))
	if err != nil {
		return nil, fmt.Errorf("cannot ask systemd: %w", err)
	}
	p := map[string]string{}
	for line := range strings.Lines(out) {
		if key, value, ok := strings.Cut(strings.TrimRight(line, "\n"), "="); ok {
			p[key] = value
		}
	}
	return p, nil
}

func (s *systemd) Status(ctx context.Context, name string) (Status, error) {
	if err := s.ours(name); err != nil {
		return Status{}, err
	}
	p, err := s.show(ctx, name)
	if err != nil {
		return Status{}, err
	}
	st := Status{Name: name, State: unitState(p), Account: p["User"], Command: s.command(name, p["ExecStart"]), Detail: p["StatusText"], Start: StartManual}
	st.PID = number(p["MainPID"])
	st.ExitCode = exitCode(p)
	if st.Account == "" {
		st.Account = "root"
	}
	switch {
	case p["RefuseManualStart"] == "yes":
		st.Start = StartDisabled
	case strings.HasPrefix(p["UnitFileState"], "enabled"):
		st.Start = StartAuto
	}
	if why := endOf(p); why != "" && st.State != Running && st.State != Stopping {
		st.Detail = strings.TrimSuffix(why+"; "+st.Detail, "; ")
	}
	return st, nil
}

func unitState(p map[string]string) State {
	switch p["ActiveState"] {
	case "active", "reloading":
		return Running
	case "activating":
		return Starting
	case "deactivating":
		return Stopping
	case "failed":
		return Failed
	}
	return Stopped
}

// endOf says how the last run ended, where that was no success.
func endOf(p map[string]string) string {
	code := number(p["ExecMainStatus"])
	switch p["Result"] {
	case "", "success":
		return ""
	case "exit-code":
		if code == 2 {
			return "it ended with exit code 2: the spec is invalid and there is no last good one"
		}
		return fmt.Sprintf("it ended with exit code %d", code)
	case "signal", "core-dump":
		return fmt.Sprintf("it was ended by signal %d", code)
	case "watchdog":
		return "it did not answer any more, and systemd ended it (watchdog)"
	case "timeout":
		return "it took too long, and systemd ended it (timeout)"
	case "start-limit-hit":
		return "it failed too often in a row, and systemd has given up; host daemon start begins anew"
	}
	return "systemd says: " + p["Result"]
}

// The values of ExecMainCode are those of siginfo_t: how a process ended.
const endedByItself = 1

func exitCode(p map[string]string) int {
	code := number(p["ExecMainStatus"])
	if how := number(p["ExecMainCode"]); how > endedByItself {
		return 128 + code // as shells say it of a signal
	}
	return code
}

// command is what the unit runs, of which Words finds the words. systemd tells it without quotes, so that is
// held against the unit file; where a drop-in says something else, what systemd tells has to do.
func (s *systemd) command(name, execStart string) string {
	told := commandOf(execStart)
	text, err := os.ReadFile(filepath.Join(s.dir, unitName(name)))
	if err != nil {
		return told
	}
	if words, shown := parsedCommand(directives(string(text)).of["ExecStart"]); shown == told {
		return joined(words)
	}
	return told
}

// commandOf takes the command out of "{ path=/a ; argv[]=/a b c ; ignore_errors=no ; … }".
func commandOf(s string) string {
	_, s, ok := strings.Cut(s, "argv[]=")
	if !ok {
		return ""
	}
	s, _, _ = strings.Cut(s, " ; ignore_errors=")
	return s
}
