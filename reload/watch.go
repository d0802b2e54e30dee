package reload

import (
	"context"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/fsnotify/fsnotify"

	"servicehost/spec"
)

// Options of a Watcher.
type Options struct {
	// Quiet is how long nothing must have been written before a change counts; asked each time. nil
	// is 300 ms.
	Quiet func() time.Duration
	// Poll is the time between two looks at the files, for changes that no event tells of (network
	// drives, replaced folders further up); 0 is 30 s. Where folders can't be watched it is half a second.
	Poll time.Duration
}

const (
	defaultQuiet = 300 * time.Millisecond
	defaultPoll  = 30 * time.Second
	troublePoll  = 500 * time.Millisecond
	// fullEvery is the number of polls after which content is read although nothing seems touched.
	fullEvery = 10
	// A file that is locked by another process is tried again so often.
	lockedTries = 20
	lockedPause = 100 * time.Millisecond
	// sameTries bounds how often one and the same content is reported although the loads that follow
	// see something else: the file changed back meanwhile, or it can't be read there.
	sameTries = 3
)

// Watcher tells that the content of the files of a spec is not what was last seen. Its methods may
// be called from any goroutine.
type Watcher struct {
	opts    Options
	trigger chan struct{}
	poke    chan struct{} // an event, a poll or new inputs: look once it is quiet
	kick    chan struct{} // new inputs for the run loop
	done    chan struct{}

	// want is what events are held against. It has a lock of its own that is never held while fs is
	// asked for something: fs may answer only when its events are taken.
	wantMu sync.Mutex
	want   map[string]*namesOf

	mu sync.Mutex
	folders
	inputs  []spec.Input
	seen    content
	read    content // what the files held when they were read last, by whatever look
	stamps  map[string]stamp
	polls   int
	looks   int
	last    string // sum of the content that was reported last
	repeats int
}

// Watch watches the files given to SetInputs until ctx ends. Where the system cannot watch folders,
// Trouble tells so and the files are looked at twice a second.
func Watch(ctx context.Context, o Options) *Watcher {
	if o.Quiet == nil {
		o.Quiet = func() time.Duration { return defaultQuiet }
	}
	if o.Poll <= 0 {
		o.Poll = defaultPoll
	}
	w := &Watcher{
		opts: o, trigger: make(chan struct{}, 1), poke: make(chan struct{}, 1), kick: make(chan struct{}, 1),
		done: make(chan struct{}), folders: folders{watched: map[string]os.FileInfo{}}, seen: content{},
	}
	var err error
	if w.fs, err = fsnotify.NewWatcher(); err != nil {
		w.fs, w.trouble = nil, fmt.Errorf("cannot watch folders, files are looked at twice a second instead: %w", err)
	}
	var wg sync.WaitGroup
	wg.Go(func() { w.listen(ctx) })
	wg.Go(func() { w.tend(ctx) })
	wg.Go(func() { debounce(ctx, w.poke, o.Quiet, func() { w.look(ctx) }) })
	go func() {
		wg.Wait()
		if w.fs != nil {
			closeWatcher(w.fs)
		}
		close(w.done)
	}()
	return w
}

// C is ready once, and again after it was read, when the content of the inputs differs from the one
// last seen and nothing was written for Quiet. It is level-triggered: however many writes there were,
// one load makes up for all of them.
func (w *Watcher) C() <-chan struct{} { return w.trigger }

// Done is closed when the watcher has ended with its context.
func (w *Watcher) Done() <-chan struct{} { return w.done }

// Trouble is why folders are not watched, nil when they are.
func (w *Watcher) Trouble() error {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.trouble
}

// SeenHash identifies the content that was last seen: of the last load, or reported after it.
func (w *Watcher) SeenHash() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.seen.sum()
}

// SetInputs says which files the last load looked at and what it found in them, whether it succeeded
// or not: that is what counts as seen. What was written since is reported. When it returns, the
// folders are watched or Trouble tells why not.
func (w *Watcher) SetInputs(inputs []spec.Input) {
	seen := make(content, len(inputs))
	for _, in := range inputs {
		if !in.Glob {
			seen[in.Path] = in.Hash
		}
	}
	w.mu.Lock()
	w.inputs, w.seen = inputs, seen
	w.arrangeLocked()
	w.mu.Unlock()
	signal(w.kick)
}

// Recheck has the files read soon, whatever events there were: some may be missing.
func (w *Watcher) Recheck() { signal(w.kick) }

// listen takes events and does nothing that could wait.
func (w *Watcher) listen(ctx context.Context) {
	if w.fs == nil {
		return
	}
	for {
		select {
		case <-ctx.Done():
			return
		case e, ok := <-w.fs.Events:
			if !ok {
				return
			}
			if w.concerns(e) {
				signal(w.poke)
			}
		case _, ok := <-w.fs.Errors: // too many events: some are missing
			if !ok {
				return
			}
			signal(w.poke)
		}
	}
}

// tend sees to new inputs and polls.
func (w *Watcher) tend(ctx context.Context) {
	poll := time.NewTimer(w.pollTime())
	defer poll.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-w.kick:
			if w.differs() {
				signal(w.poke)
			}
		case <-poll.C:
			if w.touched() {
				signal(w.poke)
			}
		}
		poll.Reset(w.pollTime())
	}
}

func (w *Watcher) pollTime() time.Duration {
	if w.Trouble() != nil {
		return min(w.opts.Poll, troublePoll)
	}
	return w.opts.Poll
}

// concerns reports whether an event is about a name that counts, or about a watched folder itself.
func (w *Watcher) concerns(e fsnotify.Event) bool {
	w.wantMu.Lock()
	defer w.wantMu.Unlock()
	if _, ok := w.want[e.Name]; ok {
		return true
	}
	n, ok := w.want[filepath.Dir(e.Name)]
	return ok && n.match(filepath.Base(e.Name))
}

// touched is the look of a poll: it reads only where a stamp says so, and reports a change once, so
// that polls do not put off the quiet they ask for.
func (w *Watcher) touched() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	files := w.arrangeLocked()
	w.polls++
	read := w.polls%fullEvery == 0 || len(files) != len(w.stamps)
	for path := range files {
		if read {
			break
		}
		was, known := w.stamps[path]
		var now stamp
		if fi, err := os.Stat(path); err == nil {
			now = stampOf(fi)
		}
		read = !known || was.fresh || was.size != now.size || !was.time.Equal(now.time)
	}
	if !read {
		return false
	}
	was := w.read
	w.readLocked(files)
	return !maps.Equal(w.read, was)
}

// readLocked reads the files and returns what another process keeps from being read.
func (w *Watcher) readLocked(files map[string]bool) (locked []string) {
	w.read, w.stamps, locked = readContent(files)
	return locked
}

// differs reports whether the files are not as the last load saw them.
func (w *Watcher) differs() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.readLocked(w.arrangeLocked())
	return !maps.Equal(w.read, w.seen)
}

// look compares content and triggers. It runs when it has been quiet.
func (w *Watcher) look(ctx context.Context) {
	for try := range lockedTries {
		if locked := w.lookOnce(try == lockedTries-1); !locked {
			return
		}
		select {
		case <-ctx.Done():
			return
		case <-time.After(lockedPause):
		}
	}
}

func (w *Watcher) lookOnce(final bool) (locked bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.looks++
	if w.inputs == nil {
		return false
	}
	if held := w.readLocked(w.arrangeLocked()); len(held) > 0 && !final {
		return true
	}
	now := w.read
	if maps.Equal(now, w.seen) {
		w.last = ""
		return false
	}
	w.seen = now
	if sum := now.sum(); sum != w.last {
		w.last, w.repeats = sum, 0
	} else if w.repeats++; w.repeats >= sameTries {
		return false
	}
	signal(w.trigger)
	return false
}

func signal(c chan<- struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}
