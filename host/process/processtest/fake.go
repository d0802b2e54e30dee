// Package processtest has a Backend without processes, for tests of what is above the seam. It only
// uses the time package, so it lives in a testing/synctest bubble.
package processtest

import (
	"fmt"
	"sync"
	"time"

	"servicehost/host/process"
)

// Behavior is what a fake run does.
type Behavior struct {
	// StartError makes Start fail.
	StartError error
	// ExitAfter ends the run by itself with Code; 0: it runs until it is stopped.
	ExitAfter time.Duration
	Code      int
	// IgnoreStop makes it survive every step but the kill; StopAfter is how long it takes to stop else.
	IgnoreStop bool
	// IgnoreKill makes it survive even that, as a process in an uninterruptible system call does.
	IgnoreKill bool
	StopAfter  time.Duration
	// Linger is how long the rest of the tree outlives the main process.
	Linger time.Duration
	// Rereads makes it go on at SIGHUP, as a program does that reads its files again.
	Rereads bool
}

// Fake is a Backend whose runs behave as told.
type Fake struct {
	// Behave is asked at every Start. Nil: every run lives until it is stopped. It must not call the Fake.
	Behave func(process.RunID, process.Request) Behavior
	// Step is told every step that StopStep is asked for, and its error is the answer. Nil: every step
	// does what Behavior says. It may take its time.
	Step func(process.RunID, string) error

	// Beside allows one run of an instance beside another, which is a mistake else.
	Beside bool

	mu     sync.Mutex
	pid    int
	runs   map[process.RunID]*run
	starts []process.RunID
	queue  []process.Event
	busy   bool
	events chan process.Event
	closed chan struct{}
}

type run struct {
	process.Run
	Behavior
	req   process.Request
	timer *time.Timer
}

// New returns a Fake with no runs.
func New() *Fake {
	return &Fake{pid: 1000, runs: map[process.RunID]*run{}, events: make(chan process.Event), closed: make(chan struct{})}
}

// Start implements process.Backend.
func (f *Fake) Start(id process.RunID, r process.Request) (process.Identity, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if u := f.runs[id]; u != nil {
		return u.Identity, nil
	}
	var b Behavior
	if f.Behave != nil {
		b = f.Behave(id, r)
	}
	if b.StartError != nil {
		return process.Identity{}, b.StartError
	}
	there := 0
	for _, u := range f.runs {
		if u.ID.Service == id.Service && u.ID.Instance == id.Instance && u.ID.Task == id.Task && !u.Gone {
			if there++; !f.Beside || there > 1 {
				panic(fmt.Sprintf("processtest: %s started while %s is not gone", id, u.ID))
			}
		}
	}
	f.pid++
	u := &run{Run: process.Run{ID: id, Identity: process.Identity{PID: f.pid, Created: int64(f.pid)}}, Behavior: b, req: r}
	f.runs[id] = u
	f.starts = append(f.starts, id)
	if b.ExitAfter > 0 {
		u.timer = time.AfterFunc(b.ExitAfter, func() { f.Exit(id, b.Code, "") })
	}
	return u.Identity, nil
}

// Exit ends the main process of a run, as a crash would; what lingers goes later.
func (f *Fake) Exit(id process.RunID, code int, signal string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	u := f.runs[id]
	if u == nil || u.Exit != nil {
		return
	}
	if u.timer != nil {
		u.timer.Stop()
	}
	u.Exit = &process.Exit{Code: code, Signal: signal, At: time.Now()}
	f.put(process.Event{Kind: process.Exited, Run: id, Exit: *u.Exit})
	if u.Linger > 0 {
		u.timer = time.AfterFunc(u.Linger, func() { f.vanish(id) })
		return
	}
	f.gone(u)
}

// Hit tells that a run ran into a limit, and that the system killed a process of its tree for it.
func (f *Fake) Hit(id process.RunID, limit string, killed bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if u := f.runs[id]; u != nil && !u.Gone {
		f.put(process.Event{Kind: process.LimitHit, Run: id, Limit: limit, Killed: killed})
	}
}

func (f *Fake) vanish(id process.RunID) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if u := f.runs[id]; u != nil {
		f.gone(u)
	}
}

func (f *Fake) gone(u *run) {
	if !u.Gone {
		u.Gone = true
		f.put(process.Event{Kind: process.Gone, Run: u.ID, Exit: *u.Exit})
	}
}

func (f *Fake) put(e process.Event) {
	f.queue = append(f.queue, e)
	if !f.busy {
		f.busy = true
		go f.drain()
	}
}

func (f *Fake) drain() {
	for {
		f.mu.Lock()
		if len(f.queue) == 0 {
			f.busy = false
			f.mu.Unlock()
			return
		}
		e := f.queue[0]
		f.queue = f.queue[1:]
		f.mu.Unlock()
		select {
		case f.events <- e:
		case <-f.closed:
			return
		}
	}
}

// StopStep implements process.Backend.
func (f *Fake) StopStep(id process.RunID, do string) error {
	if f.Step != nil {
		if err := f.Step(id, do); err != nil {
			return err
		}
	}
	f.mu.Lock()
	u := f.runs[id]
	f.mu.Unlock()
	switch {
	case u == nil:
		return &process.Error{Kind: process.ErrNoRun, Message: "no such run"}
	case u.IgnoreStop, u.Rereads && do == "SIGHUP":
	case u.StopAfter > 0:
		time.AfterFunc(u.StopAfter, func() { f.Exit(id, 0, do) })
	default:
		f.Exit(id, 0, do)
	}
	return nil
}

// KillTree implements process.Backend.
func (f *Fake) KillTree(id process.RunID) error {
	f.mu.Lock()
	u := f.runs[id]
	f.mu.Unlock()
	if u != nil && u.IgnoreKill {
		return nil
	}
	f.Exit(id, 137, "SIGKILL")
	f.vanish(id)
	return nil
}

// List implements process.Backend.
func (f *Fake) List() []process.Run {
	f.mu.Lock()
	defer f.mu.Unlock()
	var out []process.Run
	for _, u := range f.runs {
		out = append(out, u.Run)
	}
	return out
}

// Living returns the runs whose main process has not ended, by service instance ("api.1").
func (f *Fake) Living() map[string]process.RunID {
	f.mu.Lock()
	defer f.mu.Unlock()
	out := map[string]process.RunID{}
	for _, u := range f.runs {
		if u.Exit == nil && u.ID.Task == "" {
			out[fmt.Sprintf("%s.%d", u.ID.Service, u.ID.Instance)] = u.ID
		}
	}
	return out
}

// Up returns the runs of an instance whose main process has not ended, oldest first.
func (f *Fake) Up(service string, instance int) []process.RunID {
	f.mu.Lock()
	defer f.mu.Unlock()
	var out []process.RunID
	for _, id := range f.starts {
		if u := f.runs[id]; u != nil && u.Exit == nil && id.Task == "" && id.Service == service && id.Instance == instance {
			out = append(out, id)
		}
	}
	return out
}

// Request returns what a run was started with.
func (f *Fake) Request(id process.RunID) process.Request {
	f.mu.Lock()
	defer f.mu.Unlock()
	if u := f.runs[id]; u != nil {
		return u.req
	}
	return process.Request{}
}

// Starts returns every run that was started, in order.
func (f *Fake) Starts() []process.RunID {
	f.mu.Lock()
	defer f.mu.Unlock()
	return append([]process.RunID(nil), f.starts...)
}

// Ack implements process.Backend.
func (f *Fake) Ack(id process.RunID) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if u := f.runs[id]; u != nil && u.Gone {
		delete(f.runs, id)
	}
}

// Usage implements process.Backend.
func (f *Fake) Usage(process.RunID, bool) (process.Usage, error) {
	return process.Usage{Processes: 1}, nil
}

// OpenOutput implements process.Backend: fake runs have no output.
func (f *Fake) OpenOutput(process.RunID, process.Stream) (process.Output, error) {
	return nil, &process.Error{Kind: process.ErrNoRun, Message: "no output"}
}

// Events implements process.Backend.
func (f *Fake) Events() <-chan process.Event { return f.events }

// Close implements process.Backend.
func (f *Fake) Close() error {
	close(f.closed)
	return nil
}
