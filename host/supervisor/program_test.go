package supervisor

import (
	"context"
	"errors"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"servicehost/host/process"
	"servicehost/host/process/processtest"
)

func TestProgramOfTheHostGetsItsInputAndEnvironment(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		fake := processtest.New()
		var got process.Request
		code := 0
		fake.Behave = func(id process.RunID, r process.Request) processtest.Behavior {
			if id.Task == "" {
				return processtest.Behavior{}
			}
			got = r
			return processtest.Behavior{ExitAfter: time.Second, Code: code}
		}
		r := newRig(t, fake, nil)
		if err := r.sup.RunProgram(t.Context(), Program{Argv: []string{trueProgram}}); err == nil || got.Path != "" {
			t.Errorf("before there is a spec: %v", err)
		}
		r.apply()
		r.sup.env.hostEnv = []string{"A=host", "HOST_EVENT=of a host around"}
		p := Program{Argv: []string{trueProgram, "x"}, Env: []string{"HOST_EVENT=failed"}, StdinFile: "/input"}
		if err := r.sup.RunProgram(t.Context(), p); err != nil {
			t.Fatal(err)
		}
		if !slices.Equal(got.Env, []string{"A=host", "HOST_EVENT=failed"}) || got.StdinFile != "/input" || !slices.Equal(got.Args, p.Argv) {
			t.Errorf("it ran %+v", got)
		}
		code = 4
		if err := r.sup.RunProgram(t.Context(), p); err == nil || err.Error() != "exit 4" {
			t.Errorf("a program that fails: %v", err)
		}
		ctx, cancel := context.WithTimeout(t.Context(), 500*time.Millisecond)
		defer cancel()
		if err := r.sup.RunProgram(ctx, p); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("a program that takes too long: %v", err)
		}
	})
}

func TestProgramCanRunWhenAllServicesHaveEnded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, processtest.New(), nil)
		r.fake.Behave = func(id process.RunID, _ process.Request) processtest.Behavior {
			if id.Task == "" {
				return processtest.Behavior{}
			}
			return processtest.Behavior{ExitAfter: time.Second}
		}
		r.apply(service("api"))
		asked := 0
		r.sup.last = func() {
			asked++
			if p := r.sup.Snapshots(); len(p) != 0 && p[0].PID != 0 {
				t.Errorf("%+v still runs", p[0])
			}
			if err := r.sup.RunProgram(t.Context(), Program{Argv: []string{trueProgram}}); err != nil {
				t.Error(err)
			}
		}
		synctest.Wait()
		r.sup.Shutdown(t.Context(), time.Minute)
		if asked != 1 {
			t.Errorf("asked %d times", asked)
		}
	})
}

func TestProgramOfTheHostEndsWithIt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		fake := processtest.New()
		fake.Behave = func(process.RunID, process.Request) processtest.Behavior {
			return processtest.Behavior{ExitAfter: time.Hour}
		}
		r := newRig(t, fake, nil)
		r.apply()
		end := make(chan error, 1)
		go func() { end <- r.sup.RunProgram(t.Context(), Program{Argv: []string{trueProgram}}) }()
		synctest.Wait()
		r.sup.Shutdown(t.Context(), time.Minute)
		began := time.Now()
		if err := <-end; !errors.Is(err, ErrEnded) || time.Since(began) > 2*killAgain {
			t.Errorf("after %v: %v", time.Since(began), err)
		}
	})
}
