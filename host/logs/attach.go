package logs

import (
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

// attachment is the streams of one run.
type attachment struct {
	sources []Source
	open    atomic.Int32
	once    sync.Once
	stop    chan struct{} // closed by close
	done    chan struct{} // closed when all streams have ended
}

// close ends the streams; done follows.
func (a *attachment) close() {
	a.once.Do(func() {
		close(a.stop)
		for _, s := range a.sources {
			s.Close()
		}
		a.sources = nil
	})
}

// sleeper is a Source that needs no goroutine while nothing arrives.
type sleeper interface {
	// CopyAwake is Copy until nothing more is there. It then returns asleep, and calls wake once, on a goroutine
	// of its own, when that changes, the stream ends or was closed: it is to be called again then.
	CopyAwake(sink func([]byte), wake func()) (asleep bool, err error)
}

// Attach takes the streams of a new run and copies them until they end, each in a goroutine of its
// own, or while something arrives; stderr may be nil. Nothing is taken from them before the streams of the former run have ended
// or a deadline of two seconds has passed. The pipeline closes the sources. The returned channel is
// closed when the streams of this run have ended; Close of the sources ends them early.
func (p *Pipeline) Attach(stdout, stderr Source) <-chan struct{} {
	return p.attach(stdout, stderr, false)
}

// AttachBeside is Attach for a run that is meant to be there at the same time as the former one: both write,
// line by line, as far as each stream ends its lines.
func (p *Pipeline) AttachBeside(stdout, stderr Source) <-chan struct{} {
	return p.attach(stdout, stderr, true)
}

func (p *Pipeline) attach(stdout, stderr Source, beside bool) <-chan struct{} {
	a := &attachment{stop: make(chan struct{}), done: make(chan struct{})}
	for _, s := range [...]Source{stdout, stderr} {
		if s != nil {
			a.sources = append(a.sources, s)
		}
	}
	p.mu.Lock()
	former := p.last
	if beside {
		former = nil
	}
	if p.closed || len(a.sources) == 0 {
		p.mu.Unlock()
		a.close()
		close(a.done)
		return a.done
	}
	p.last = a
	p.live = append(p.live, a)
	p.mu.Unlock()

	a.open.Store(int32(len(a.sources)))
	if stdout != nil {
		go p.copy(a, former, stdout, false, beside)
	}
	if stderr != nil {
		go p.copy(a, former, stderr, true, beside)
	}
	return a.done
}

func (p *Pipeline) copy(a, former *attachment, src Source, stderr, beside bool) {
	p.await(a, former)
	if w := p.err.Load(); beside { // the last lines are of both
	} else if !stderr {
		p.out.tail.reset()
	} else if w != nil {
		w.tail.reset()
	}
	(&flow{input: input{p: p, stderr: stderr}, of: a, src: src}).carry()
}

// flow is one stream of a run on its way.
type flow struct {
	input
	of  *attachment
	src Source
}

// carry copies the stream until it ends or sleeps, and again when it is awake.
func (s *flow) carry() {
	var err error
	if q, ok := s.src.(sleeper); ok {
		var asleep bool
		if asleep, err = q.CopyAwake(s.take, s.carry); asleep {
			return
		}
	} else {
		err = s.src.Copy(s.take)
	}
	s.end()
	w := s.p.writerOf(s.stderr)
	if err != nil {
		w.tellReadError(err)
	}
	w.streamEnded()
	if s.of.open.Add(-1) == 0 {
		s.p.detach(s.of)
	}
}

// detach forgets a run whose streams have all ended.
func (p *Pipeline) detach(a *attachment) {
	a.close()
	p.mu.Lock()
	p.live = slices.DeleteFunc(p.live, func(x *attachment) bool { return x == a })
	if p.last == a {
		p.last = nil
	}
	p.mu.Unlock()
	close(a.done)
}

// await returns when the former run's streams have ended, after the deadline, or when a is closed.
func (p *Pipeline) await(a, former *attachment) {
	if former == nil {
		return
	}
	timer := time.NewTimer(p.set.timing.gate)
	defer timer.Stop()
	select {
	case <-former.done:
	case <-a.stop:
	case <-timer.C:
	}
}

// Drain waits until all attached streams have ended, at most timeout, and closes those that have not.
// All bytes that were taken from them are in the file afterwards, unless the disk hangs.
func (p *Pipeline) Drain(timeout time.Duration) {
	p.mu.Lock()
	live := slices.Clone(p.live)
	p.mu.Unlock()
	if len(live) == 0 || waitAll(live, timeout) {
		return
	}
	for _, a := range live {
		a.close()
	}
	waitAll(live, p.set.timing.closing)
}

func (p *Pipeline) isClosed() bool {
	select {
	case <-p.stop:
		return true
	default:
		return false
	}
}
