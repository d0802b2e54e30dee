package usage

import (
	"sync/atomic"
	"time"

	"servicehost/host/process"
)

// track is what is known of one instance. It is guarded by Sampler.mu, but for stuck.
type track struct {
	last  Sample    // zero: none of the present run
	full  time.Time // of the last full look at that run
	tried time.Time // of the last look, good or not
	seen  uint64    // the sweep that saw the instance last

	base struct { // from which the CPU of the next sample counts
		at  time.Time
		cpu time.Duration
	}
	read, written counter

	fine, coarse ring
	stuck        atomic.Bool // a full look does not return
}

// counter makes one that never goes down out of a sum that loses what ended.
type counter struct{ last, total int64 }

func (c *counter) add(now int64) int64 {
	c.total += max(now-c.last, 0)
	c.last = now
	return c.total
}

// begin forgets what belongs to a former run.
func (t *track) begin(i Instance) {
	t.last = Sample{ID: i.ID, Run: i.Run}
	t.full = time.Time{}
	t.base.at, t.base.cpu = i.StartedAt, 0
	t.read, t.written = counter{}, counter{}
}

// add takes in a measurement of the present run.
func (t *track) add(now time.Time, u process.Usage, full, looking bool) {
	before := t.last
	s := &t.last
	s.At, s.Usage = now, u
	if full {
		t.full = now
		s.ReadBytes, s.WriteBytes = t.read.add(u.ReadBytes), t.written.add(u.WriteBytes)
	} else {
		s.keepFull(before.Usage)
	}
	s.PeakMemory = max(s.PeakMemory, before.PeakMemory, u.Memory)

	// Two looks at once: the CPU stays, and the next one compares with a time that says something.
	var over time.Duration
	if since := now.Sub(t.base.at); before.At.IsZero() || since >= fresh {
		over = max(since, 0)
		s.CPUPercent = 0
		if since > 0 && u.CPU > t.base.cpu {
			s.CPUPercent = 100 * float64(u.CPU-t.base.cpu) / float64(since)
		}
		t.base.at, t.base.cpu = now, u.CPU
	}
	t.coarse.put(coarse, now, s.CPUPercent, over, u.Memory)
	if looking {
		t.fine.put(fine, now, s.CPUPercent, over, u.Memory)
	}
}

// keepFull takes over what only a full look finds.
func (s *Sample) keepFull(u process.Usage) {
	now := s.Usage
	s.Usage = u
	s.CPU, s.Memory, s.Processes, s.Threads = now.CPU, now.Memory, now.Processes, now.Threads
}

// expire frees the fine history when nobody looked for as long as it reaches back.
func (t *track) expire(now time.Time) {
	if t.fine.stale(fine, now) {
		t.fine = ring{}
	}
}
