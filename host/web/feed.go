package web

import (
	"bytes"
	"context"
	"encoding/json"
	"reflect"
	"sync"
	"time"

	"servicehost/host/control"
	"servicehost/host/journal"
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

// batch makes one frame of an event and those that wait behind it.
func batch(e journal.Event, more <-chan journal.Event) []byte {
	var b bytes.Buffer
	write(&b, "journal", e)
	for range maxBatch {
		select {
		case e, ok := <-more:
			if !ok {
				return b.Bytes()
			}
			write(&b, "journal", e)
		default:
			return b.Bytes()
		}
	}
	return b.Bytes()
}

// write puts one event of the stream into b. JSON has no line breaks.
func write(b *bytes.Buffer, name string, data any) {
	j, err := json.Marshal(data)
	if err != nil {
		return
	}
	b.WriteString("event: ")
	b.WriteString(name)
	b.WriteString("\ndata: ")
	b.Write(j)
	b.WriteString("\n\n")
}

// view is what was last seen and told.
type view struct {
	seen   bool
	host   control.HostStatus
	status control.Status
	byID   map[string]int // index in status.Services
	frame  []byte         // the whole of it; nil: not written yet
	used   time.Time      // when usage was last measured for this
}

// whole is the status as one frame; nil: nothing is known yet.
func (v *view) whole() []byte {
	if !v.seen {
		return nil
	}
	if v.frame == nil {
		var b bytes.Buffer
		write(&b, "status", v.status)
		v.frame = b.Bytes()
	}
	return v.frame
}

type changes struct {
	Changed []control.ServiceStatus `json:"changed"`
	Removed []string                `json:"removed"`
}

// look asks the host how it is and returns what changed; nil: nothing did.
func (v *view) look(ctx context.Context, o Options) []byte {
	used := v.used
	measured := time.Since(used) > measureTime
	if measured {
		used = time.Now()
	}
	now, err := o.Status(ctx, measured)
	if err != nil {
		return nil
	}
	before := *v
	*v = view{seen: true, used: used, host: calmHost(now.Host), status: now, byID: make(map[string]int, len(now.Services))}
	var eq comparer
	ch := changes{Changed: []control.ServiceStatus{}, Removed: []string{}}
	for n := range now.Services {
		s := &now.Services[n]
		v.byID[s.ID] = n
		// Mostly they stand in the same order.
		if n < len(before.status.Services) && before.status.Services[n].ID == s.ID {
			if !eq.same(&before.status.Services[n], s) {
				ch.Changed = append(ch.Changed, *s)
			}
			continue
		}
		if at, ok := before.byID[s.ID]; !ok || !eq.same(&before.status.Services[at], s) {
			ch.Changed = append(ch.Changed, *s)
		}
	}
	for n := range before.status.Services {
		if id := before.status.Services[n].ID; !v.has(id) {
			ch.Removed = append(ch.Removed, id)
		}
	}
	if !before.seen {
		return nil // nobody was told anything yet
	}
	var b bytes.Buffer
	if !reflect.DeepEqual(before.host, v.host) {
		write(&b, "host", now.Host)
	}
	if len(ch.Changed)+len(ch.Removed) > 0 {
		write(&b, "services", ch)
	}
	if b.Len() == 0 {
		return nil
	}
	return b.Bytes()
}

func (v *view) has(id string) bool {
	_, ok := v.byID[id]
	return ok
}

type usageNow struct {
	At       int64                 `json:"at"` // Unix milliseconds
	Services map[string][2]float64 `json:"services"`
}

// usage is what the services use, as a frame: percent of a core, and bytes.
func (v *view) usage() []byte {
	u := usageNow{At: time.Now().UnixMilli(), Services: map[string][2]float64{}}
	for n := range v.status.Services {
		if s := &v.status.Services[n]; s.PID != 0 {
			u.Services[s.ID] = [2]float64{s.CPUPercent, float64(s.MemoryBytes)}
		}
	}
	var b bytes.Buffer
	write(&b, "usage", u)
	return b.Bytes()
}
