// Package top is the full-screen live view of a host: its services with their recent CPU and memory, the output of the
// selected one, and keys to start, stop and restart it. It asks a running host as any other client; what is written in
// the cells of the table is the caller's.
package top

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/gdamore/tcell/v2"

	"servicehost/host/control"
)

// Source is the running host; *control.Client is one.
type Source interface {
	Status(ctx context.Context) (control.Status, error)
	Logs(ctx context.Context, r control.LogsRequest, send func(control.LogLine) error) error
	Act(ctx context.Context, r control.ActRequest) (control.ActResult, error)
	Close()
}

// Cell is a text for one line of a terminal: without control characters. Color is that of a Palette.
type Cell struct {
	Text  string
	Color Color
}

// Color is what a text means; the view decides what it looks like.
type Color uint8

// The colours.
const (
	Plain Color = iota
	Good
	Attention
	Bad
	Faint
)

// Column is one of the table. Flex takes what is left of the screen.
type Column struct {
	Title string
	Right bool
	Flex  bool
	// Spark is the history that is drawn behind it: cpu, memory or nothing.
	Spark string
}

// Options of Run. All but Color and Clock are needed.
type Options struct {
	// Connect finds the running host, again after it was gone.
	Connect func(ctx context.Context) (Source, error)
	// Retry reports whether an error of Connect or of a question means that the host is not there now.
	Retry func(error) bool
	// Columns and Cells are the table; there are as many cells as columns.
	Columns []Column
	Cells   func(control.ServiceStatus) []Cell
	// Head are the lines above it, for a screen of so many columns.
	Head func(s control.Status, width int) []Cell
	// Clean makes a line of output safe for the screen.
	Clean func(string) string
	// Size writes a number of bytes.
	Size func(int64) string
	// Services are the names or ids to show; empty: all.
	Services []string
	NoColor  bool
	Screen   tcell.Screen // nil: the terminal
	// Period is how often the status is asked for; 0: each second.
	Period time.Duration
}

// ErrNoTerminal says that there is no screen to draw on.
var ErrNoTerminal = errors.New("this needs a terminal")

// Run shows the view until the operator ends it (nil) or ctx ends (nil). An error means that it could not begin: no
// terminal, which wraps ErrNoTerminal, or no host.
func Run(ctx context.Context, o Options) error {
	if o.Period == 0 {
		o.Period = time.Second
	}
	source, err := o.Connect(ctx)
	if err != nil {
		return err
	}
	first, err := source.Status(ctx)
	if err != nil {
		source.Close()
		return err
	}
	screen := o.Screen
	if screen == nil {
		if screen, err = tcell.NewScreen(); err != nil {
			source.Close()
			return fmt.Errorf("%w: %w", ErrNoTerminal, err)
		}
	}
	if err := screen.Init(); err != nil {
		source.Close()
		return fmt.Errorf("%w: %w", ErrNoTerminal, err)
	}
	defer screen.Fini()
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	v := &view{o: o, screen: screen, model: newModel(o.Services), answers: make(chan answer, 8), source: source}
	v.tail = newTail(ctx, o.Clean, func() Source { return v.current() })
	defer v.tail.stop()
	v.model.take(first)
	v.loop(ctx)
	v.current().Close()
	return nil
}

// answer is what came of something that was asked in the background.
type answer struct {
	status *control.Status
	gone   string // why the host can't be asked
	notice string // for the last line
	bad    bool
}

// loop owns the model: keys, answers and lines of output come to it one by one.
func (v *view) loop(ctx context.Context) {
	keys := make(chan tcell.Event, 16)
	quit := make(chan struct{})
	defer close(quit)
	go v.screen.ChannelEvents(keys, quit)
	go v.poll(ctx)
	v.follow()
	v.draw()
	for {
		select {
		case <-ctx.Done():
			return
		case e, ok := <-keys:
			if !ok || v.key(ctx, e) {
				return
			}
		case a := <-v.answers:
			v.answered(a)
		case <-v.tail.changed:
		}
		v.follow()
		v.draw()
	}
}

// poll asks for the status, and looks for the host anew when it is gone.
func (v *view) poll(ctx context.Context) {
	tick := time.NewTicker(v.o.Period)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		s, err := v.current().Status(ctx)
		if err != nil && ctx.Err() == nil && v.o.Retry(err) {
			err = v.reconnect(ctx, &s)
		}
		a := answer{status: &s}
		if err != nil {
			a = answer{gone: err.Error()}
		}
		if !v.send(ctx, a) {
			return
		}
	}
}

func (v *view) reconnect(ctx context.Context, s *control.Status) error {
	next, err := v.o.Connect(ctx)
	if err != nil {
		return err
	}
	v.mu.Lock()
	former := v.source
	v.source = next
	v.mu.Unlock()
	former.Close()
	*s, err = next.Status(ctx)
	return err
}

func (v *view) current() Source {
	v.mu.Lock()
	defer v.mu.Unlock()
	return v.source
}

func (v *view) send(ctx context.Context, a answer) bool {
	select {
	case v.answers <- a:
		return true
	case <-ctx.Done():
		return false
	}
}

func (v *view) answered(a answer) {
	switch {
	case a.status != nil:
		v.model.gone = ""
		v.model.take(*a.status)
	case a.gone != "":
		v.model.gone = a.gone
	default:
		v.model.notice, v.model.bad = a.notice, a.bad
	}
}

// follow has the output of the selected service followed while it is shown.
func (v *view) follow() {
	id := ""
	if s, ok := v.model.selected(); ok && v.model.logs && v.model.gone == "" {
		id = s.ID
	}
	v.tail.show(id)
}
