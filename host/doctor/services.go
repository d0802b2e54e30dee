package doctor

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"

	"servicehost/host/human"
	"servicehost/host/process"
	"servicehost/host/requires"
	"servicehost/host/thresholds"
	"servicehost/spec"
)

func (e *examination) services() {
	if g := e.sp.Host.Control.Group; g != "" {
		if err := groupThere(g); err != nil {
			e.problem("host.control.group", "name one that is there, or make it", "%s", err)
		}
	}
	for _, s := range e.sp.Services {
		if s.Enabled && e.ctx.Err() == nil {
			e.service(s)
		}
	}
}

func (e *examination) service(s *spec.Service) {
	at := "services." + s.Name
	for _, f := range s.EnvFile {
		e.rights(f, "env_file", true)
	}
	if st, err := os.Stat(s.Dir); err != nil || !st.IsDir() {
		e.problem(at+".dir", "", "folder %s is not there", human.Path(s.Dir))
	}
	if path, err := e.programs.Of(s); err != nil {
		e.problem(at+".command", hintOf(err), "%s", err)
	} else {
		e.rights(path, "program", false)
	}
	if s.User != "" || s.Group != "" {
		if problem, hint := account(s); problem != "" {
			e.problem(at+".user", hint, "%s", problem)
		}
	}
	e.port(s)
	e.requires(s)
	e.dumps(s)
}

// dumps looks whether thresholds could do what they are to do.
func (e *examination) dumps(s *spec.Service) {
	native := slices.ContainsFunc(s.Thresholds, func(t spec.Threshold) bool { return t.Action.Do == spec.ThresholdDump && t.DumpURL == "" })
	if cannot, ok := errors.AsType[*thresholds.HintError](thresholds.CanDump()); native && ok {
		e.warn("services."+s.Name+".thresholds", cannot.Hint, "%s, which action dump needs", cannot.Message)
	}
}

func hintOf(err error) string {
	if p, ok := err.(*process.Error); ok {
		return p.Hint
	}
	return ""
}

// port looks who has the port of a service, if not the service.
func (e *examination) port(s *spec.Service) {
	if s.Port <= 0 {
		return
	}
	subject := "services." + s.Name + ".port"
	t := requires.TakenPort(s.Port)
	if t == nil || e.holds(s, t.Holder) {
		return
	}
	message := t.Message()
	if by := e.ownerOf(t.Holder); by != "" {
		message += fmt.Sprintf(", of service %q", by)
	}
	e.problem(subject, t.Hint(), "%s, and %q is to have it", message, s.ID)
}

// holds reports whether the running service itself is the holder, as far as can be seen.
func (e *examination) holds(s *spec.Service, h requires.Holder) bool {
	st := e.status(s.ID)
	return st != nil && st.PID != 0 && (h.PID == 0 || within(h.PID, st.PID))
}

// ownerOf is the service of the running host that a process belongs to.
func (e *examination) ownerOf(h requires.Holder) string {
	if e.Status == nil || h.PID == 0 {
		return ""
	}
	for _, s := range e.Status.Services {
		if s.PID != 0 && within(h.PID, s.PID) {
			return s.ID
		}
	}
	return ""
}

// maxDepth bounds the way up from a process: the ids of processes that ended are used again.
const maxDepth = 64

// within reports whether a process is another, or comes from it.
func within(pid, ancestor int) bool {
	for range maxDepth {
		switch pid {
		case ancestor:
			return true
		case 0, 1:
			return false
		}
		pid = parentOf(pid)
	}
	return false
}

// requires looks for what a service requires. The ports are left out of what runs, which has them.
func (e *examination) requires(s *spec.Service) {
	r := s.Requires
	if st := e.status(s.ID); st != nil && st.PID != 0 {
		r.Ports = nil
	}
	if r.None() {
		return
	}
	ctx, cancel := context.WithTimeout(e.ctx, lookTime)
	defer cancel()
	env := requires.Env{User: s.User, Group: s.Group, Resolve: func(name string) (string, error) { return e.programs.Find(s, name) }}
	if s.User == "" && s.Group == "" && s.Session == spec.SessionService {
		vars := e.programs.Environ(s)
		env.Run = func(ctx context.Context, path string, args []string) (string, bool, error) {
			return output(ctx, path, args, s.Dir, vars)
		}
	}
	for _, u := range requires.Check(ctx, r, env) {
		e.problem("services."+s.Name+".requires."+u.Key, u.Hint, "%s", u.Message)
	}
}
