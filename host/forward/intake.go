package forward

import (
	"sync"
	"sync/atomic"
	"time"

	"servicehost/host/logs"
)

const (
	// chunkBytes and chunkRecords end a chunk; a batch is about as large.
	chunkBytes   = 512 << 10
	chunkRecords = 4096
	// intakeBytes is what waits in memory at most. Beyond it records are dropped: the target, and the disk
	// too, are slower than the services, or away.
	intakeBytes = 32 << 20
	// shareBytes is how much of it one service gets, so that one that floods leaves room for its neighbours.
	shareBytes = intakeBytes / 2
	// skew is how far back the clock of records may go before that is taken for a change of the clock.
	skew = int64(time.Second)
)

// chunk is some records in a row.
type chunk struct {
	data    []byte
	records int
	first   time.Time // when the oldest one came in
	// shares are bytes by service. A chunk that had no other before it when it was begun does not count them: as
	// long as there is no flood nothing is counted.
	shares map[string]int
}

// buffers are the memory of full chunks; it is given back when nothing is written.
var buffers = sync.Pool{New: func() any { return new([]byte) }}

func (c *chunk) free() {
	if cap(c.data) >= chunkBytes/2 && cap(c.data) <= 2*chunkBytes {
		b := c.data[:0]
		buffers.Put(&b)
	}
	c.data, c.shares = nil, nil
}

// intake is where the streams of services leave their records: it copies them and does nothing else.
type intake struct {
	wake chan<- struct{} // of one element: rung when the first record or a full chunk is there

	closed  atomic.Bool
	dropped atomic.Int64
	lost    atomic.Int64 // bytes of them

	mu     sync.Mutex
	last   int64 // the time that the newest record was given
	size   int   // bytes of all chunks
	chunks []chunk
	shares map[string]int // bytes by service, of the chunks that count them
}

// Take implements logs.Sink.
func (in *intake) Take(r logs.Record) {
	if in.closed.Load() {
		return
	}
	at := r.Time.UnixNano()
	in.mu.Lock()
	size := recordHead + len(r.Service) + min(len(r.Text), maxText)
	if !in.fits(r.Service, size) {
		in.mu.Unlock()
		in.dropped.Add(1)
		in.lost.Add(int64(len(r.Text)))
		return
	}
	// Loki takes equal lines of the same nanosecond for one, and a read often brings many lines.
	if at <= in.last && in.last-at < skew {
		at = in.last + 1
	}
	in.last = at
	ring := false
	n := len(in.chunks) - 1
	if n < 0 || len(in.chunks[n].data)+size > chunkBytes || in.chunks[n].records >= chunkRecords {
		in.chunks = append(in.chunks, in.begin(n >= 0))
		n++
		ring = true
	}
	c := &in.chunks[n]
	before := len(c.data)
	c.data = appendRecord(c.data, r, at)
	c.records++
	in.size += len(c.data) - before
	if c.shares != nil {
		c.shares[r.Service] += len(c.data) - before
		in.shares[r.Service] += len(c.data) - before
	}
	in.mu.Unlock()
	if ring {
		select {
		case in.wake <- struct{}{}:
		default:
		}
	}
}

// begin makes a chunk: a small one at first, a large one in a flood.
func (in *intake) begin(flood bool) chunk {
	c := chunk{first: time.Now()}
	if flood {
		c.data = (*buffers.Get().(*[]byte))[:0]
		if cap(c.data) == 0 {
			c.data = make([]byte, 0, chunkBytes)
		}
		c.shares = make(map[string]int)
		if in.shares == nil {
			in.shares = make(map[string]int)
		}
	}
	return c
}

// fits reports whether there is room for so many bytes of a service.
func (in *intake) fits(service string, size int) bool {
	if in.size+size <= shareBytes { // nobody can have too much
		return true
	}
	return in.size+size <= intakeBytes && in.shares[service]+size <= shareBytes
}

// take removes the oldest chunk: a full one, or any that came in before the given time.
func (in *intake) take(before time.Time) (chunk, bool) {
	in.mu.Lock()
	defer in.mu.Unlock()
	if len(in.chunks) == 0 || len(in.chunks) == 1 && in.chunks[0].records < chunkRecords &&
		len(in.chunks[0].data) < chunkBytes/2 && in.chunks[0].first.After(before) {
		return chunk{}, false
	}
	c := in.chunks[0]
	in.chunks[0] = chunk{}
	in.chunks = in.chunks[1:]
	if len(in.chunks) == 0 {
		in.chunks = nil
	}
	in.count(c, -1)
	return c, true
}

// takeAll removes all chunks.
func (in *intake) takeAll() []chunk {
	in.mu.Lock()
	defer in.mu.Unlock()
	all := in.chunks
	in.chunks, in.size, in.shares = nil, 0, nil
	return all
}

// putBack puts chunks before those that came in since they were taken.
func (in *intake) putBack(chunks []chunk) {
	in.mu.Lock()
	defer in.mu.Unlock()
	for _, c := range chunks {
		in.count(c, 1)
	}
	in.chunks = append(chunks, in.chunks...)
}

// count adds a chunk to what waits, or takes it off.
func (in *intake) count(c chunk, sign int) {
	in.size += sign * len(c.data)
	if c.shares != nil && in.shares == nil {
		in.shares = make(map[string]int)
	}
	for service, n := range c.shares {
		if in.shares[service] += sign * n; in.shares[service] <= 0 {
			delete(in.shares, service)
		}
	}
}

// oldest is when the oldest record that waits came in, and how much waits.
func (in *intake) oldest() (at time.Time, records, size int) {
	in.mu.Lock()
	defer in.mu.Unlock()
	for _, c := range in.chunks {
		records += c.records
	}
	if len(in.chunks) > 0 {
		at = in.chunks[0].first
	}
	return at, records, in.size
}
