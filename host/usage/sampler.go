package usage

import (
	"sync"
	"time"

	"servicehost/host/process"
)

// fresh is how long a sample is taken as it is, and the least time over which CPU is told.
const fresh = time.Second

// patience is how long a full look at one run may take. The system makes it wait for a process that is stuck in
// the kernel with its memory map locked; a cheap look never waits for that.
const patience = 2 * time.Second

// Options of New.
type Options struct {
	// Usage measures one run; process.Backend.Usage.
	Usage func(id process.RunID, full bool) (process.Usage, error)
	// Instances names every instance there is. It is called by one goroutine at a time; what it returned belongs to
	// the sampler until the next call.
	Instances func() []Instance
}

// Sampler samples the usage of instances and remembers it. Its methods may be called from any goroutine.
type Sampler struct {
	opt  Options
	wake chan struct{} // the loop looks again at what is to be done
	quit chan struct{}
	done chan struct{}

	measuring sync.Mutex // held by who measures; taken before mu

	mu      sync.Mutex
	tracks  map[string]*track
	sweep   uint64
	until   time.Time // somebody looks
	watched map[string]bool
	tell    func(Sample)
}

// New begins to sample. Close ends that.
func New(o Options) *Sampler {
	s := &Sampler{
		opt: o, wake: make(chan struct{}, 1), quit: make(chan struct{}), done: make(chan struct{}),
		tracks: map[string]*track{},
	}
	go s.loop()
	return s
}

// Close ends the sampling and returns when nothing is measured by itself any more.
func (s *Sampler) Close() {
	close(s.quit)
	<-s.done
}

// Now measures every instance that runs and returns the samples by id; one younger than a second is taken as it
// is. For the next minute it is taken for granted that somebody looks. What can't be measured is left out.
func (s *Sampler) Now(full bool) map[string]Sample {
	s.Look()
	out := map[string]Sample{}
	s.measure(func(string) (bool, bool) { return full, true }, out)
	return out
}

// NowOf is Now for some instances only.
func (s *Sampler) NowOf(ids map[string]bool, full bool) map[string]Sample {
	s.Look()
	out := map[string]Sample{}
	s.measure(func(id string) (bool, bool) { return full, ids[id] }, out)
	return out
}

// Look says that somebody looks: for the next minute all instances are sampled often enough for the fine history.
func (s *Sampler) Look() {
	now := time.Now()
	s.mu.Lock()
	begins := !s.until.After(now)
	s.until = now.Add(attention)
	s.mu.Unlock()
	if begins {
		s.rouse()
	}
}

// Latest is the last known sample of the present run of an instance. It measures nothing.
func (s *Sampler) Latest(id string) (Sample, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if t := s.tracks[id]; t != nil && !t.last.At.IsZero() {
		return t.last, true
	}
	return Sample{}, false
}

// Watch has these instances sampled every Period, with a full look where the value is true, and handed to f, one
// after the other, by a goroutine that samples nothing else meanwhile. It replaces the former Watch.
func (s *Sampler) Watch(ids map[string]bool, f func(Sample)) {
	s.mu.Lock()
	s.watched, s.tell = ids, f
	s.mu.Unlock()
	s.rouse()
}

// History is what is remembered of an instance.
func (s *Sampler) History(id string) History {
	now := time.Now()
	s.mu.Lock()
	defer s.mu.Unlock()
	t := s.tracks[id]
	if t == nil {
		t = &track{}
	}
	return History{Fine: t.fine.series(fine, now), Coarse: t.coarse.series(coarse, now)}
}

func (s *Sampler) rouse() {
	select {
	case s.wake <- struct{}{}:
	default:
	}
}

// measure samples the instances that choose wants and adds their samples to out, which may be nil.
func (s *Sampler) measure(choose func(id string) (full, ok bool), out map[string]Sample) {
	s.measuring.Lock()
	defer s.measuring.Unlock()
	for _, i := range s.instances() {
		if full, ok := choose(i.ID); ok {
			if t := s.look(i, full); t != nil && out != nil {
				out[i.ID] = s.known(t)
			}
		}
	}
}

func (s *Sampler) known(t *track) Sample {
	s.mu.Lock()
	defer s.mu.Unlock()
	return t.last
}

// instances is who runs now. It forgets who is not there any more, and the samples of runs that are over.
// s.measuring is held.
func (s *Sampler) instances() []Instance {
	list := s.opt.Instances()
	now := time.Now()
	s.mu.Lock()
	defer s.mu.Unlock()
	s.sweep++
	known, running := 0, list[:0]
	for _, i := range list {
		if t := s.tracks[i.ID]; t != nil {
			known++
			t.seen = s.sweep
			t.expire(now)
			if t.last.Run != i.Run {
				t.begin(i)
			}
		}
		if i.Run != (process.RunID{}) {
			running = append(running, i)
		}
	}
	if known < len(s.tracks) {
		for id, t := range s.tracks {
			if t.seen != s.sweep {
				delete(s.tracks, id)
			}
		}
	}
	return running
}

// look measures i unless there is a sample that is young enough; nil if it can't. s.measuring is held.
func (s *Sampler) look(i Instance, full bool) *track {
	now := time.Now()
	s.mu.Lock()
	t := s.tracks[i.ID]
	if t == nil {
		t = &track{seen: s.sweep}
		t.begin(i)
		s.tracks[i.ID] = t
	}
	if age := now.Sub(t.last.At); !t.last.At.IsZero() && age < fresh && (!full || t.full.Equal(t.last.At)) {
		s.mu.Unlock()
		return t
	}
	t.tried = now
	s.mu.Unlock()

	u, full, err := s.ask(t, i.Run, full)
	s.mu.Lock()
	defer s.mu.Unlock()
	if err != nil {
		return nil
	}
	now = time.Now()
	t.add(now, u, full, s.until.After(now))
	return t
}

// ask has one run measured. A full look that does not return is left alone, and a cheap one made in its place.
func (s *Sampler) ask(t *track, run process.RunID, full bool) (process.Usage, bool, error) {
	if !full || !t.stuck.CompareAndSwap(false, true) {
		u, err := s.opt.Usage(run, false)
		return u, false, err
	}
	type result struct {
		process.Usage
		err error
	}
	answer := make(chan result, 1)
	go func() {
		defer t.stuck.Store(false)
		u, err := s.opt.Usage(run, true)
		answer <- result{u, err}
	}()
	late := time.NewTimer(patience)
	defer late.Stop()
	select {
	case r := <-answer:
		return r.Usage, true, r.err
	case <-late.C:
		u, err := s.opt.Usage(run, false)
		return u, false, err
	}
}
