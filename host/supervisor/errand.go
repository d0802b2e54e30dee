package supervisor

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"servicehost/host/process"
	"servicehost/spec"
)

// errStuck is the end of an errand that could not be ended by force either.
var errStuck = errors.New("it is still there after it was killed")

// errand runs a program beside the services, in a tree of its own, and waits until nothing of it is left. What
// it writes goes to sink; after its end that is waited for, at most as long as drain. When ctx ends the tree is
// killed, and the error is that of ctx.
func (e *environment) errand(ctx context.Context, id process.RunID, r process.Request, drain time.Duration, sink func([]byte)) (process.Exit, error) {
	gone := e.tasks.expect(id)
	if _, err := e.backend.Start(id, r); err != nil {
		e.tasks.forget(id)
		return process.Exit{}, err
	}
	defer e.backend.Ack(id)
	drained := make(chan struct{})
	if o, err := e.backend.OpenOutput(id, process.Stdout); err == nil {
		go func() {
			defer close(drained)
			_ = o.Copy(sink) // what came until then is what there is
		}()
		defer o.Close()
	} else {
		close(drained)
	}
	var ev process.Event
	select {
	case ev = <-gone:
	case <-ctx.Done():
		_ = e.backend.KillTree(id) // whether it could or not, only gone says that nothing is left
		timer := time.NewTimer(killAgain)
		defer timer.Stop()
		select {
		case <-gone:
			return process.Exit{}, ctx.Err()
		case <-timer.C: // a shutdown must not wait for it for ever
			e.tasks.forget(id)
			return process.Exit{}, errStuck
		}
	}
	timer := time.NewTimer(drain)
	defer timer.Stop()
	select {
	case <-drained:
	case <-timer.C:
	}
	return ev.Exit, nil
}

// Output runs a program as the host itself does, in the folder of the spec, and returns what it writes to its
// standard output: an error where that is more than limit, or the program fails. It may be called from any
// goroutine but those of instances and of the backend's events.
func (s *Supervisor) Output(ctx context.Context, argv []string, limit int) ([]byte, error) {
	e := s.env
	dir := e.place.Load().dir
	path, err := resolve(e, argv[0], &spec.Service{Dir: dir}, e.hostEnv)
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	tooMuch := fmt.Errorf("it writes more than %d KiB", limit>>10)
	var mu sync.Mutex
	var out []byte
	n := e.errands.Add(1)
	id := process.RunID{Service: "host", Incarnation: n, Task: fmt.Sprintf("output.%d", n)}
	r := process.Request{Path: path, Args: argv, Dir: dir, Env: e.hostEnv, SplitStderr: true}
	exit, err := e.errand(ctx, id, r, drainTimeout, func(p []byte) {
		mu.Lock()
		defer mu.Unlock()
		if len(out)+len(p) > limit {
			cancel(tooMuch)
			return
		}
		grown := append(out, p...)
		if cap(grown) != cap(out) {
			clear(out) // what it outgrew must not lie about
		}
		out = grown
	})
	mu.Lock()
	defer mu.Unlock()
	switch {
	case errors.Is(context.Cause(ctx), tooMuch):
		err = tooMuch
	case err == nil && (exit.Code != 0 || exit.Signal != ""):
		err = errors.New(exitText(exit))
	}
	if err != nil {
		clear(out)
		return nil, err
	}
	return out, nil
}
