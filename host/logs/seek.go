package logs

import (
	"bytes"
	"io"
)

const (
	// probeSize is how much is read to find a line with a time.
	probeSize = 64 << 10
	// disorder is how far the times of lines in one file may be out of order, milliseconds.
	disorder = 5000
)

// seekTime looks, in a log whose lines have times, between lo and hi for where those after ms begin. Before low
// nothing is that late, and from high on everything is; between them, which is little where lines have times,
// it isn't known.
func seekTime(f io.ReaderAt, lo, hi, ms int64) (low, high int64) {
	low, high = lo, hi
	buf := make([]byte, probeSize)
	for end := hi; end-low > 4*probeSize; {
		mid := low + (end-low)/2
		off, at, ok := probe(f, buf, mid, end)
		switch {
		case !ok:
			end = mid
		case at > ms:
			high, end = off, mid
		default:
			low = off
		}
	}
	return low, high
}

// probe finds the first line with a time that begins behind off and before end.
func probe(f io.ReaderAt, buf []byte, off, end int64) (at, ms int64, ok bool) {
	n, _ := f.ReadAt(buf[:min(int64(len(buf)), end-off)], off)
	b := buf[:n]
	for {
		i := bytes.IndexByte(b, '\n') + 1
		if i == 0 {
			return 0, 0, false
		}
		b = b[i:]
		off += int64(i)
		line := b
		if j := bytes.IndexByte(b, '\n'); j >= 0 {
			line = b[:j]
		}
		if p, ok := parseLine(line); ok {
			return off, p.at, true
		}
	}
}
