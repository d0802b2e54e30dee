package spec

import "sync/atomic"

// Reader loads the same files again and again. A service whose text and all that it depends on is as it was is
// taken over from the load before: neither parsed nor checked by itself again, and the very same value, so that
// an edit of one service costs little however many there are. Between two loads it holds sums of the texts, not
// the texts. Its methods may be called from any goroutine.
type Reader struct {
	o      Options
	former atomic.Pointer[former]
}

// NewReader returns a reader that has read nothing yet. What LookupEnv answers must not change.
func NewReader(o Options) *Reader { return &Reader{o: o} }

// Load is the function Load, and what it returns is the same.
func (r *Reader) Load() Result { return r.load(true) }

// Look is Load for somebody who will not use the spec for long: the next load goes on from the one before.
func (r *Reader) Look() Result { return r.load(false) }

func (r *Reader) load(keep bool) Result {
	was := r.former.Load()
	l := newLoader(r.o)
	if was != nil && was.count > 0 && len(r.o.Files) == 1 { // merged, they hang together
		l.former = was
	}
	s := l.load()
	if l.doubt || len(l.taken) > 0 && len(l.problems) > 0 {
		// Whatever is not quite clear is read as if for the first time: problems have to be all of them, in their places.
		l = newLoader(r.o)
		s = l.load()
	}
	res := l.result(s)
	if res.Spec == nil {
		return res
	}
	if was != nil && len(l.taken) == 0 {
		was.adopt(s, l.services)
	}
	if keep {
		r.former.Store(l.remember(s))
	}
	return res
}
