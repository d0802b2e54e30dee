package metrics

import (
	"io"
	"slices"
	"sync"
	"time"

	"servicehost/host/process"
)

// Options of New.
type Options struct {
	// Read sets r to how all stands; what its slices held before is of no use any more, but their memory. Usage that
	// costs much is to be measured anew only with full. It is called by one goroutine at a time.
	Read func(r *Reading, full bool)
	// Version is that of the host.
	Version string
	Started time.Time
}

// Collector tells metrics. Its methods may be called from any goroutine.
type Collector struct {
	o    Options
	self func() self

	counting  sync.Mutex
	reloads   [len(reloadKinds)]uint64
	refused   bool // the last reload was
	instances map[key]*counters

	gathering sync.Mutex
	last      *gathered // nil: too old
	spare     *gathered // whose memory the next one takes
	known     int       // how many instances there were
	full      time.Time // when usage was last looked at in full
}

// key names an instance: its id changes with the number of instances, this does not.
type key struct {
	service string
	number  int
}

// gathered is what one scrape tells.
type gathered struct {
	Reading
	users   int // who tells it, and Collector.last; guarded by Collector.gathering
	at      time.Time
	options *Options
	self    self
	counts  []counts // of Instances
	labels  []string // of Instances
	reloads [len(reloadKinds)]uint64
	refused bool
}

// New returns a Collector that has counted nothing yet.
func New(o Options) *Collector {
	return &Collector{o: o, self: readSelf, instances: map[key]*counters{}}
}

// fresh is how long what was gathered is told again, whoever asks.
const fresh = time.Second

// fullLook is about what a full look at the usage of an instance costs, times the 500 that keep all of them below
// 0.2 % of one core.
const fullLook = 60 * time.Millisecond

// gather reads what is not counted, at most once a second. release must follow.
func (c *Collector) gather() *gathered {
	c.gathering.Lock()
	defer c.gathering.Unlock()
	now := time.Now()
	if c.last != nil && now.Sub(c.last.at) < fresh {
		c.last.users++
		return c.last
	}
	c.forget(c.last)
	full := now.Sub(c.full) >= max(fresh, time.Duration(c.known)*fullLook)
	if full {
		c.full = now
	}
	g := c.spare
	if c.spare = nil; g == nil {
		g = &gathered{options: &c.o}
	}
	g.self = c.self()
	c.o.Read(&g.Reading, full)
	g.at = time.Now()
	c.join(g)
	c.last, c.known, g.users = g, len(g.Instances), 2
	at := g.at
	time.AfterFunc(fresh, func() {
		c.gathering.Lock()
		defer c.gathering.Unlock()
		if g.at == at { // else it is another one by now
			c.forget(g)
		}
	})
	return g
}

// release ends the use of what gather returned.
func (c *Collector) release(g *gathered) {
	c.gathering.Lock()
	defer c.gathering.Unlock()
	c.leave(g)
}

// forget has g not told any more, if it still is. c.gathering is held.
func (c *Collector) forget(g *gathered) {
	if g != nil && c.last == g {
		c.last = nil
		c.leave(g)
	}
}

func (c *Collector) leave(g *gathered) {
	if g.users--; g.users == 0 {
		c.spare = g
	}
}

// join adds to a reading what was counted, and forgets what was counted of who is not there any more.
func (c *Collector) join(g *gathered) {
	g.counts, g.labels = Resize(g.counts, len(g.Instances)), Resize(g.labels, len(g.Instances))
	c.counting.Lock()
	defer c.counting.Unlock()
	g.reloads, g.refused = c.reloads, c.refused
	for n := range g.Instances {
		i := &g.Instances[n]
		if !i.StartedAt.IsZero() {
			i.uptime = max(g.at.Sub(i.StartedAt), 0).Round(time.Millisecond)
		}
		k := c.of(key{i.Service, i.Number})
		k.seen = g.at
		if k.labels == "" {
			k.labels = labelsOf(i)
		}
		if u := &i.Usage; u.Run != (process.RunID{}) {
			if k.run != u.Run {
				k.run, k.cpu = u.Run, 0
			}
			k.cpu = max(k.cpu, u.CPU) // what a process that ended had used may be lost to the sum
		}
		exits := append(g.counts[n].exits[:0], k.exits...)
		g.counts[n], g.labels[n] = k.counts, k.labels
		g.counts[n].exits = exits
	}
	if len(c.instances) > len(g.Instances) {
		for k, v := range c.instances {
			if g.at.Sub(v.seen) > forgotten {
				delete(c.instances, k)
			}
		}
	}
}

// forgotten is how long counts stay of an instance that nobody names: it may be about to come.
const forgotten = time.Minute

// Resize returns a slice of n elements, in the memory of s where they fit; they hold what they held.
func Resize[T any](s []T, n int) []T {
	return slices.Grow(s[:0], n)[:n]
}

// Write tells everything in the format that accept, the header of a request, asks for.
func (c *Collector) Write(w io.Writer, accept string) error {
	return c.write(w, formatOf(accept))
}

func (c *Collector) write(w io.Writer, f format) error {
	e := newEncoder(w, f)
	defer e.free()
	g := c.gather()
	defer c.release(g)
	e.all(g)
	return e.end()
}
