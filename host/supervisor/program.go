package supervisor

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"servicehost/host/process"
	"servicehost/spec"
)

// Program is something that the host runs for itself, beside the services.
type Program struct {
	Argv []string
	// Env is laid over the environment of the host, NAME=value.
	Env []string
	// StdinFile is what it reads; empty: nothing.
	StdinFile string
}

// ErrEnded is the end of what the host runs for itself when the host has ended.
var ErrEnded = errors.New("the host has ended")

// RunProgram runs a program as the host itself, in the folder of the spec, until nothing is left of its tree, at
// most as long as ctx: then the tree is killed. A failed program is an error that ends in its last line of output.
// It may be called from any goroutine but those of instances and of the backend's events.
func (s *Supervisor) RunProgram(ctx context.Context, p Program) error {
	e := s.env
	at := e.place.Load()
	if at == nil {
		return errors.New("the host has no spec yet")
	}
	env := slices.Clone(e.hostEnv)
	for _, kv := range p.Env {
		name, _, _ := strings.Cut(kv, "=")
		env = slices.DeleteFunc(env, func(old string) bool {
			had, _, _ := strings.Cut(old, "=")
			return foldEnv(had) == foldEnv(name)
		})
		env = append(env, kv)
	}
	path, err := resolve(e, p.Argv[0], &spec.Service{Dir: at.dir}, env)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	go func() {
		select {
		case <-s.over:
			cancel(ErrEnded)
		case <-ctx.Done():
		}
	}()
	n := e.errands.Add(1)
	id := process.RunID{Service: "host", Incarnation: n, Task: fmt.Sprintf("program.%d", n)}
	var said tailBuffer
	exit, err := e.errand(ctx, id, process.Request{Path: path, Args: p.Argv, Dir: at.dir, Env: env, StdinFile: p.StdinFile}, drainTimeout, said.write)
	switch {
	case err != nil && errors.Is(context.Cause(ctx), ErrEnded):
		return ErrEnded
	case err != nil:
		return err
	case exit.Code == 0 && exit.Signal == "":
		return nil
	}
	if line := said.line(); line != "" {
		return fmt.Errorf("%s: %s", exitText(exit), line)
	}
	return errors.New(exitText(exit))
}
