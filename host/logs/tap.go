package logs

// Tap has each record go to s too, until it is called with nil. Records are made of lines whatever the format
// of the file; where a spec asks for nothing else, multiline does not join them.
func (p *Pipeline) Tap(s Sink) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed {
		return
	}
	p.taps[0] = s
	p.reshape()
}

// Listen is Tap for a second one who looks at the output, beside the first.
func (p *Pipeline) Listen(s Sink) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed || s == nil && p.taps[1] == nil {
		return
	}
	p.taps[1] = s
	p.reshape()
}

// reshape works out what is to be done with lines. It needs p.mu.
func (p *Pipeline) reshape() {
	p.shape.Store(newShape(p.id, p.cfg, p.set.o.Sink, p.taps[:], p.shape.Load()))
}

// Beside returns a way into the log beside the streams of runs, for what somebody else writes about the
// service. end must be called behind the last byte.
func (p *Pipeline) Beside() (sink func([]byte), end func()) {
	in := &input{p: p}
	return in.take, in.end
}
