package host

import (
	"bytes"
	"io"
	"sync"
	"time"
)

// sink takes the lines of the host's own log and writes them a moment later: neither a terminal that is stopped (Ctrl-S,
// a selection in a Windows console), nor a pipe that nobody reads, nor a disk that hangs may hold up who supervises. What
// waits goes out in one write.
type sink struct {
	out  io.Writer
	lost func(lines int) // tells of lines that were not written, once writing goes on; it may write

	mu      sync.Mutex
	idle    sync.Cond
	pending []byte
	missing int  // lines
	writing bool // it is asked for, or under way
	timer   *time.Timer
}

const (
	maxSink = 1 << 20 // bytes that wait at most
	// sinkPause is for what belongs together: a restart is told in three lines, and need not wake a thread for each.
	sinkPause  = 5 * time.Millisecond
	spareSink  = 16 << 10        // bytes that are kept for what comes next
	sinkLinger = 2 * time.Second // for Sync
)

func newSink(out io.Writer, lost func(lines int)) *sink {
	s := &sink{out: out, lost: lost}
	s.idle.L = &s.mu
	return s
}

// Write takes whole lines. It never waits and never fails.
func (s *sink) Write(lines []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.pending)+len(lines) > maxSink {
		s.missing += bytes.Count(lines, []byte{'\n'})
		return len(lines), nil
	}
	s.pending = append(s.pending, lines...)
	if !s.writing {
		s.writing = true
		if s.timer == nil {
			s.timer = time.AfterFunc(sinkPause, s.write)
		} else {
			s.timer.Reset(sinkPause)
		}
	}
	return len(lines), nil
}

// write writes what waits, and ends.
func (s *sink) write() {
	s.mu.Lock()
	defer s.mu.Unlock()
	var spare []byte
	for len(s.pending) > 0 {
		batch := s.pending
		s.pending = spare[:0]
		s.mu.Unlock()
		n, err := s.out.Write(batch)
		s.mu.Lock()
		if err != nil {
			s.missing += bytes.Count(batch[min(max(n, 0), len(batch)):], []byte{'\n'})
		}
		if missing := s.missing; err == nil && missing > 0 && len(s.pending) == 0 {
			s.missing = 0
			s.mu.Unlock()
			s.lost(missing)
			s.mu.Lock()
		}
		if spare = batch; cap(spare) > spareSink {
			spare = nil
		}
	}
	if cap(s.pending) > spareSink {
		s.pending = nil
	}
	s.writing = false
	s.idle.Broadcast()
}

// Sync waits until all is written, or for sinkLinger where nobody takes it.
func (s *sink) Sync() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.writing && s.timer.Stop() {
		go s.write()
	}
	late := false
	defer time.AfterFunc(sinkLinger, func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		late = true
		s.idle.Broadcast()
	}).Stop()
	for s.writing && !late {
		s.idle.Wait()
	}
	return nil
}
