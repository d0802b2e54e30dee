package web

import (
	"context"
	"sync"
	"time"
)

const (
	// lookTime is the least time between two looks at the services, idleLook the longest: not every change is an event.
	lookTime = 250 * time.Millisecond
	idleLook = time.Second
	// usageTime is how often what the services use is told.
	usageTime = 5 * time.Second
	// measureTime is how often what the services use is measured for the feed. In between the host does so by itself,
	// as somebody looks.
	measureTime = 30 * time.Second
	maxLive     = 64
	// liveFrames is how many frames may wait for one client before it has to begin anew.
	liveFrames = 64
	// maxBatch is how many events of the journal go into one frame.
	maxBatch = 256
)

// feed looks at the host for all who watch it live: once for all of them, and not at all without any.
type feed struct {
	opt Options

	mu      sync.Mutex
	clients map[*client]struct{}
	stop    context.CancelFunc // nil: it does not run
	wg      sync.WaitGroup
	closed  bool
	ring    chan struct{} // somebody is new
}

// client is one who watches. A frame is shared by all of them.
type client struct {
	frames chan []byte
	// fresh says that the next it must get is the whole status. Of the goroutine of the feed.
	fresh bool
}

func newFeed(o Options) *feed {
	return &feed{opt: o, clients: map[*client]struct{}{}, ring: make(chan struct{}, 1)}
}

// join begins to watch; false: there are too many.
func (f *feed) join() (*client, bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.closed || len(f.clients) >= maxLive {
		return nil, false
	}
	c := &client{frames: make(chan []byte, liveFrames), fresh: true}
	f.clients[c] = struct{}{}
	if f.stop == nil {
		ctx, cancel := context.WithCancel(context.Background())
		f.stop = cancel
		f.wg.Go(func() { f.run(ctx) })
	}
	select {
	case f.ring <- struct{}{}:
	default:
	}
	return c, true
}

func (f *feed) leave(c *client) {
	f.mu.Lock()
	defer f.mu.Unlock()
	delete(f.clients, c)
	if len(f.clients) == 0 && f.stop != nil {
		f.stop()
		f.stop = nil
	}
}

func (f *feed) close() {
	f.mu.Lock()
	f.closed = true
	if f.stop != nil {
		f.stop()
		f.stop = nil
	}
	f.mu.Unlock()
	f.wg.Wait()
}

// run tells what changes until ctx ends.
func (f *feed) run(ctx context.Context) {
	var (
		v      view
		events = f.opt.Subscribe(ctx, maxBatch)
		look   = time.NewTimer(0)
		usage  = time.NewTicker(usageTime)
		last   time.Time // of the last look
		again  bool      // an event may be a moment earlier than what it is about
	)
	defer look.Stop()
	defer usage.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-f.ring:
			look.Reset(max(0, time.Until(last.Add(lookTime))))
		case e, ok := <-events:
			if !ok {
				return
			}
			f.send(ctx, batch(e, events))
			again = true
			look.Reset(max(0, time.Until(last.Add(lookTime))))
		case <-usage.C:
			if frame := v.look(ctx, f.opt); frame != nil {
				f.send(ctx, frame)
			}
			f.send(ctx, v.usage())
		case <-look.C:
			last = time.Now()
			if frame := v.look(ctx, f.opt); frame != nil {
				f.send(ctx, frame)
			}
			f.begin(ctx, v.whole)
			if again {
				look.Reset(lookTime)
			} else {
				look.Reset(idleLook)
			}
			again = false
		}
	}
}

// send hands a frame to everybody who takes part. Who has too much waiting misses all until there is room for the
// whole status. Nobody is told anything by a run that was stopped: another may be on.
func (f *feed) send(ctx context.Context, frame []byte) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if ctx.Err() != nil {
		return
	}
	for c := range f.clients {
		if c.fresh {
			continue
		}
		select {
		case c.frames <- frame:
		default:
			c.fresh = true
		}
	}
}

// begin hands the whole status to those who need it and have nothing waiting any more.
func (f *feed) begin(ctx context.Context, whole func() []byte) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if ctx.Err() != nil {
		return
	}
	for c := range f.clients {
		if c.fresh && len(c.frames) == 0 {
			if frame := whole(); frame != nil {
				c.fresh = false
				c.frames <- frame
			}
		}
	}
}
