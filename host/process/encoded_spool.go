package process

import "sync"

// spool holds the output of one stream that was taken from the Backend and is not known to be handed
// out at the other end.
type spool struct {
	key     spoolKey
	backend Backend
	copying sync.Mutex    // held by the one Copy that runs
	room    chan struct{} // a token when taken has made room

	mu      sync.Mutex
	pending []byte
}

// taken forgets the oldest n bytes: they were handed out.
func (p *spool) taken(n uint64) {
	p.mu.Lock()
	p.pending = p.pending[min(n, uint64(len(p.pending))):]
	if len(p.pending) == 0 {
		p.pending = nil
	}
	p.mu.Unlock()
	select {
	case p.room <- struct{}{}:
	default:
	}
}

func (p *spool) add(b []byte) {
	p.mu.Lock()
	p.pending = append(p.pending, b...)
	p.mu.Unlock()
}

func (p *spool) full() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return len(p.pending) >= window
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
	rest := p.pending // taken moves the start on, only add writes, and nobody else adds now
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
