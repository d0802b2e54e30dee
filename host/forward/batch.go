package forward

import (
	"math/rand/v2"
	"time"
)

// batch is what is sent at a time.
type batch struct {
	chunks  [][]byte
	records int
	first   time.Time // when its oldest record came in, where it is in memory only
	// spooled: the spool has it, too, as so many records up to end; some of them may have been sent since.
	spooled bool
	whole   int
	end     position
	owned   []chunk // whose memory is used again
}

// all reads the records.
func (b *batch) all(dst []record) []record {
	for _, c := range b.chunks {
		var err error
		if dst, err = appendRecords(dst, c); err != nil {
			break
		}
	}
	return dst
}

// skip removes records from the front.
func (b *batch) skip(n int) {
	for n > 0 && len(b.chunks) > 0 {
		_, rest, err := cutRecord(b.chunks[0])
		if err != nil {
			rest = nil
		}
		n--
		b.records--
		if b.chunks[0] = rest; len(rest) == 0 {
			b.chunks = b.chunks[1:]
		}
	}
}

func (b *batch) size() int64 {
	n := int64(0)
	for _, c := range b.chunks {
		n += int64(len(c))
	}
	return n
}

func (b *batch) free() {
	for _, c := range b.owned {
		c.free()
	}
	b.owned, b.chunks = nil, nil
}

// outcome is what became of records that were sent: of so many, from the first one on, the fate is decided.
type outcome struct {
	done    int
	refused int           // of these, which the target will never take
	why     string        // it refused them
	err     error         // why not all are done
	wait    time.Duration // what the target asks to be left alone for; 0: nothing asked
	sent    int64         // bytes of text that were taken
}

const (
	firstDelay = time.Second
	maxDelay   = time.Minute
	// maxWait bounds what a target may ask for.
	maxWait = 10 * time.Minute
)

// delay is how long a target is left alone after so many failures in a row. The hosts of a farm must not come
// back all at once: up to a fifth is taken off or added.
func delay(fails int) time.Duration {
	d := maxDelay
	if fails < 7 {
		d = min(firstDelay<<max(0, fails-1), maxDelay)
	}
	return d - d/5 + rand.N(2*d/5)
}
