package usage

import (
	"math"
	"time"
)

// point is a moment of a ring in 8 bytes: memory is in KiB, one more than it is; 0 marks that there is none.
type point struct {
	cpu float32
	mem uint32
}

// ring is the history at one resolution. It grows up to its full length as time goes by.
type ring struct {
	points []point // that of a step is at its number modulo the length
	newest int64   // number of the newest step, since 1970
	first  int64   // number of the oldest step that may be there
	weight float32 // seconds that the CPU of the newest step is an average of
}

// scale is what is fixed for all rings of a resolution.
type scale struct {
	step   time.Duration
	length int // steps of a full ring
	begin  int // steps of a new one
}

var (
	fine   = scale{5 * time.Second, 60, 60}
	coarse = scale{5 * time.Minute, 288, 9} // doubled five times
)

func (c scale) number(at time.Time) int64 { return at.UnixNano() / int64(c.step) }

// put adds a measurement, whose CPU is an average over the time before it.
func (r *ring) put(c scale, at time.Time, cpu float64, over time.Duration, memory int64) {
	n := c.number(at)
	switch {
	case len(r.points) == 0 || n < r.newest-1 || n >= r.newest+int64(c.length):
		// The first one, after a long time, or the clock was set back: what is there has no place any more.
		if len(r.points) == 0 {
			r.points = make([]point, c.begin)
		}
		clear(r.points)
		r.newest, r.first, r.weight = n, n, 0
	case n > r.newest:
		r.grow(c, n)
		for s := r.newest + 1; s <= n; s++ {
			*r.at(s) = point{}
		}
		r.newest, r.weight = n, 0
		r.first = max(r.first, n-int64(len(r.points))+1)
	}
	p := r.at(r.newest)
	p.mem = max(p.mem, uint32(min(memory>>10, math.MaxUint32-1))+1)
	if w := float32(over.Seconds()); r.weight+w > 0 {
		p.cpu = (p.cpu*r.weight + float32(cpu)*w) / (r.weight + w)
		r.weight += w
	} else {
		p.cpu = float32(cpu)
	}
}

func (r *ring) at(step int64) *point { return &r.points[step%int64(len(r.points))] }

// grow makes room for the steps up to n, as far as a full ring has it.
func (r *ring) grow(c scale, n int64) {
	size := len(r.points)
	for int64(size) < n-r.first+1 && size < c.length {
		size = min(2*size, c.length)
	}
	if size == len(r.points) {
		return
	}
	old := *r
	r.points = make([]point, size)
	for s := r.first; s <= r.newest; s++ {
		*r.at(s) = *old.at(s)
	}
}

// stale reports whether all of it is older than a full ring reaches back.
func (r *ring) stale(c scale, now time.Time) bool {
	return len(r.points) > 0 && c.number(now)-r.newest >= int64(c.length)
}

// series is what is there of the time that a full ring covers.
func (r *ring) series(c scale, now time.Time) Series {
	out := Series{Step: c.step}
	if len(r.points) == 0 {
		return out
	}
	from := max(r.first, c.number(now)-int64(c.length)+1)
	for s := from; s <= r.newest; s++ {
		if p := r.at(s); p.mem != 0 {
			out.Points = append(out.Points, Point{At: time.Unix(0, s*int64(c.step)), CPUPercent: p.cpu, Memory: int64(p.mem-1) << 10})
		}
	}
	return out
}
