package forward

import (
	"context"
	"errors"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"servicehost/host/logs"
	"servicehost/spec"
)

// Options of a Hub.
type Options struct {
	// Dir is where the spools are; it is made when the first one is needed. Nobody else may use it meanwhile.
	Dir string
	// Host is the name of this host, Version that of the program.
	Host    string
	Version string
	// Secret finds a token or a password; nil: none can be found. What it returns is kept in memory until the
	// target refuses it.
	Secret func(ctx context.Context, s spec.Secret) (string, error)
	// OnEvent hears of trouble with targets, from any goroutine; it must not block long. May be nil.
	OnEvent func(Event)
}

// The kinds of events.
const (
	// EventTrouble: a target has failed twice in a row, or its spool can't be used.
	EventTrouble = "trouble"
	// EventRecovered ends a trouble.
	EventRecovered = "recovered"
	// EventDropped: Records were lost, or refused by the target. Told once a minute at most, with all since.
	EventDropped = "dropped"
)

// Event is something that an operator should know about a target.
type Event struct {
	Target  string
	Kind    string
	Text    string
	Records int64
	Bytes   int64
}

// The states of a target.
const (
	StateOK      = "ok"
	StateTrouble = "trouble"
)

// Stats of one target. Counts are since the host started.
type Stats struct {
	Name           string
	Type           spec.TargetType
	State          string
	Since          time.Time // of the state
	LastError      string    // of the trouble
	SentRecords    int64
	SentBytes      int64 // of text
	DroppedRecords int64 // for want of room, refused by the target, or found damaged
	DroppedBytes   int64
	WaitingRecords int64 // in memory and on disk
	SpooledBytes   int64 // what the spool takes on disk
}

// Hub serves the targets of one host. All methods may be called from any goroutine.
type Hub struct {
	o Options

	mu      sync.Mutex
	closed  bool
	swept   time.Time
	sinks   map[string]*sink
	targets map[string]*target
	ending  map[string]chan struct{} // of removed targets: closed when their spool is free
}

// sink is what has a name in log.forward, whether or not there is such a target now.
type sink struct{ in atomic.Pointer[intake] }

// Take implements logs.Sink.
func (s *sink) Take(r logs.Record) {
	if in := s.in.Load(); in != nil {
		in.Take(r)
	}
}

// New returns a hub without targets. It has no goroutine and no folder until it gets some.
func New(o Options) *Hub {
	if o.OnEvent == nil {
		o.OnEvent = func(Event) {}
	}
	if o.Secret == nil {
		o.Secret = func(context.Context, spec.Secret) (string, error) {
			return "", errors.New("no secrets can be found here")
		}
	}
	return &Hub{o: o, sinks: map[string]*sink{}, targets: map[string]*target{}, ending: map[string]chan struct{}{}}
}

// Sink returns where the records for the target of this name go. It is the same for the same name, before the
// target is there and after it is gone; what comes then is not kept.
func (h *Hub) Sink(name string) logs.Sink {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.sink(name)
}

func (h *Hub) sink(name string) *sink {
	s := h.sinks[name]
	if s == nil {
		s = &sink{}
		h.sinks[name] = s
	}
	return s
}

// Apply makes these the targets. One that changed goes on with what waits for it, whatever changed; what waits
// for one that is gone stays in its spool for a week, should it come back.
func (h *Hub) Apply(want map[string]spec.LogTarget) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.closed {
		return
	}
	for name, t := range h.targets {
		if _, ok := want[name]; !ok {
			h.sinks[name].in.Store(nil)
			delete(h.targets, name)
			h.ending[name] = t.done
			go t.end(removeWait)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(want)) {
		if t := h.targets[name]; t == nil {
			t = newTarget(name, want[name], &h.o, h.ending[name])
			delete(h.ending, name)
			h.targets[name] = t
			h.sink(name).in.Store(&t.in)
			go t.run()
		} else if !reflect.DeepEqual(t.wanted, want[name]) {
			t.wanted = want[name]
			t.changeTo(want[name])
		}
	}
	h.sweep(want)
}

const (
	// removeWait is how long a removed target still gets what is in memory.
	removeWait = 2 * time.Second
	// keepSpool is how long a spool without a target is kept.
	keepSpool = 7 * 24 * time.Hour
)

// sweep deletes the spools that nobody came back to, once a day at most.
func (h *Hub) sweep(want map[string]spec.LogTarget) {
	if !h.swept.IsZero() && time.Since(h.swept) < 24*time.Hour {
		return
	}
	h.swept = time.Now()
	known := map[string]bool{}
	for name := range want {
		known[folderOf(name)] = true
	}
	for name, done := range h.ending {
		select {
		case <-done:
			delete(h.ending, name)
		default:
			known[folderOf(name)] = true
		}
	}
	entries, err := os.ReadDir(h.o.Dir)
	if err != nil { // mostly since there never was one
		return
	}
	for _, e := range entries {
		if e.IsDir() && !known[e.Name()] {
			sweepFolder(filepath.Join(h.o.Dir, e.Name()), h.swept.Add(-keepSpool))
		}
	}
}

// sweepFolder deletes a spool in which nothing was written since, and nothing that a spool does not hold.
func sweepFolder(dir string, since time.Time) {
	if emptied(dir, since) {
		_ = os.Remove(dir)
	}
}

func emptied(dir string, since time.Time) bool {
	root, err := os.OpenRoot(dir)
	if err != nil {
		return false
	}
	defer root.Close()
	entries, err := fs.ReadDir(root.FS(), ".")
	if err != nil {
		return false
	}
	var ours []string
	for _, e := range entries {
		info, err := e.Info()
		if err != nil || info.ModTime().After(since) || !info.Mode().IsRegular() {
			return false
		}
		if _, ok := segmentNumber(e.Name()); !ok && e.Name() != ackName {
			return false
		}
		ours = append(ours, e.Name())
	}
	for _, name := range ours {
		_ = root.Remove(name) // another time, if not now
	}
	return true
}

// Close sends what is in memory, as long as ctx allows; what is left then is in the spools when it returns.
func (h *Hub) Close(ctx context.Context) {
	h.mu.Lock()
	h.closed = true
	var done []chan struct{}
	for _, t := range h.targets {
		done = append(done, t.done)
		wait := time.Duration(0)
		if deadline, ok := ctx.Deadline(); ok {
			wait = time.Until(deadline)
		}
		go t.end(wait)
	}
	for _, d := range h.ending {
		done = append(done, d)
	}
	for _, s := range h.sinks {
		s.in.Store(nil)
	}
	h.mu.Unlock()
	for _, d := range done {
		<-d
	}
}

// Stats returns what is known of each target, by name. It waits for no target and no disk.
func (h *Hub) Stats() []Stats {
	h.mu.Lock()
	defer h.mu.Unlock()
	out := make([]Stats, 0, len(h.targets))
	for _, t := range h.targets {
		out = append(out, t.statistics())
	}
	slices.SortFunc(out, func(a, b Stats) int { return strings.Compare(a.Name, b.Name) })
	return out
}
