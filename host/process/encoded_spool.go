package process

import (
	"slices"
	"sync"
)

// spool holds the output of one stream that was taken from the Backend and is not known to be handed
// out at the other end. It has a buffer only while there is such output.
type spool struct {
	key     spoolKey
	backend Backend
	copying sync.Mutex    // held by the one Copy that runs
	room    chan struct{} // a token when taken has made room

	mu    sync.Mutex
	buf   *[]byte
	start int // pending is (*buf)[start:]
}

var spoolBuffers = sync.Pool{New: func() any { b := make([]byte, 0, window+maxData); return &b }}

// pending is called with mu held.
func (p *spool) pending() []byte {
	if p.buf == nil {
		return nil
	}
	return (*p.buf)[p.start:]
}

// taken forgets the oldest n bytes: they were handed out.
func (p *spool) taken(n uint64) {
	p.mu.Lock()
	p.start += int(min(n, uint64(len(p.pending()))))
	if p.buf != nil && len(p.pending()) == 0 {
		if cap(*p.buf) <= 2*window {
			*p.buf = (*p.buf)[:0]
			spoolBuffers.Put(p.buf)
		}
		p.buf, p.start = nil, 0
	}
	p.mu.Unlock()
	select {
	case p.room <- struct{}{}:
	default:
	}
}

func (p *spool) add(b []byte) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.buf == nil {
		p.buf = spoolBuffers.Get().(*[]byte)
	}
	if p.start > 0 && len(*p.buf)+len(b) > cap(*p.buf) {
		*p.buf = (*p.buf)[:copy(*p.buf, p.pending())]
		p.start = 0
	}
	*p.buf = append(*p.buf, b...)
}

func (p *spool) full() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return len(p.pending()) >= window
}

// copying is one Copy of the other end.
type copying struct {
	spool   *spool
	stopped chan struct{}
	once    sync.Once

	mu     sync.Mutex
	output Output
}

// stop ends run soon. Bytes that the Backend has handed out by then stay in the spool.
func (k *copying) stop() {
	k.once.Do(func() { close(k.stopped) })
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.output != nil {
		k.output.Close()
	}
}

func (k *copying) isStopped() bool {
	select {
	case <-k.stopped:
		return true
	default:
		return false
	}
}

// run sends what is pending and then what comes, until the stream ends (and the other end is to be told)
// or stop is called.
func (k *copying) run(w *wire, channel uint64) (end copyEnd, told bool) {
	p := k.spool
	p.copying.Lock()
	defer p.copying.Unlock()
	end.Channel = channel
	p.mu.Lock()
	rest := slices.Clone(p.pending())
	p.mu.Unlock()
	if !k.send(w, channel, rest) {
		return end, false
	}
	output, err := p.backend.OpenOutput(p.key.run, p.key.stream)
	if err != nil {
		end.Error = asError(err)
		return end, true
	}
	k.mu.Lock()
	k.output = output
	if k.isStopped() {
		output.Close()
	}
	k.mu.Unlock()
	err = output.Copy(func(b []byte) {
		p.add(b)
		k.send(w, channel, b)
		for p.full() && !k.isStopped() {
			select {
			case <-p.room:
			case <-k.stopped:
			}
		}
	})
	end.Error = asError(err)
	return end, !k.isStopped()
}

// send sends b in frames and reports whether the Copy goes on.
func (k *copying) send(w *wire, channel uint64, b []byte) bool {
	for len(b) > 0 && !k.isStopped() {
		n := min(len(b), maxData)
		if w.sendData(channel, b[:n]) != nil {
			return false
		}
		b = b[n:]
	}
	return !k.isStopped()
}
