package logs

import (
	"bytes"
	"fmt"
	"time"

	"servicehost/host/human"
)

// loss is one time in which output could not be written. Whole lines are counted: a line of which a
// byte is lost is a lost line, and what is written again begins at the beginning of a line.
type loss struct {
	why          string
	keep         bool // the open file is fine, there was only no room
	since, until time.Time
	retryAt      time.Time
	lines, bytes int64
	midLine      bool // the last byte dropped was within a line
	late         int  // bytes of a line that began to be dropped, dropped since writing was possible again
}

// reach is how far a line end is waited for, when a file is full and when writing is possible again.
const reach = 1 << 20

// fail begins a loss with p, which could not be written.
func (w *writer) fail(err error, p []byte, now time.Time) {
	w.retry = min(2*w.retry, w.set.timing.retryMax)
	if w.retry == 0 || now.Sub(w.goodSince) > 3*w.set.timing.retryMax {
		w.retry = w.set.timing.retry
	}
	w.lost = &loss{why: cause(err), keep: isFull(err), since: now, until: now, retryAt: now.Add(w.retry)}
	w.dropping.Store(&w.lost.why)
	w.event(Event{Kind: EventTrouble, Text: fmt.Sprintf("cannot write log %s: %s; output is dropped until it can be written again", human.Path(w.path), w.lost.why)})
	if w.f != nil && w.midLine && len(p) > 0 && p[0] == '\n' {
		p = p[1:] // resume ends the line that is in the file: it isn't lost
	}
	w.drop(p, now)
}

// drop counts p as lost.
func (w *writer) drop(p []byte, now time.Time) {
	if len(p) == 0 {
		return
	}
	l := w.lost
	lines := int64(bytes.Count(p, []byte{'\n'}))
	l.until = now
	l.midLine = p[len(p)-1] != '\n'
	l.lines += lines
	l.bytes += int64(len(p))
	w.linesDropped.Add(lines)
	w.bytesDropped.Add(int64(len(p)))
}

// endLine counts the line that is being dropped as at its end: its stream ended, or it is too long.
func (l *loss) endLine(w *writer) {
	if l.midLine {
		l.midLine = false
		l.lines++
		w.linesDropped.Add(1)
	}
}

// resume tries to write again, p being the next of the stream. It returns what of p is to be written,
// nothing if it was dropped.
func (w *writer) resume(p []byte, now time.Time) []byte {
	l := w.lost
	if now.Before(l.retryAt) {
		w.drop(p, now)
		return nil
	}
	cut := false
	if l.midLine {
		i := bytes.IndexByte(p, '\n') + 1
		if i == 0 {
			i = len(p)
		}
		w.drop(p[:i], now)
		p = p[i:]
		if l.midLine {
			if l.late += i; l.late < reach {
				return nil
			}
			l.endLine(w)
			cut = true
		}
	}
	err := w.recover(len(p), now)
	if isFull(err) && w.set.makeRoom(w.path) {
		err = w.recover(len(p), now)
	}
	if err != nil {
		l.why, l.keep = cause(err), isFull(err)
		w.dropping.Store(&l.why)
		l.retryAt = now.Add(w.retry)
		if cut { // not after all: it goes on being dropped
			l.midLine = true
			l.lines--
			w.linesDropped.Add(-1)
		}
		w.drop(p, now)
		return nil
	}
	w.lost = nil
	w.goodSince = now
	w.dropping.Store(nil)
	w.event(Event{
		Kind: EventRecovered, Lines: l.lines, Bytes: l.bytes,
		Text: fmt.Sprintf("log %s is written again; dropped %d lines (%d bytes)", human.Path(w.path), l.lines, l.bytes),
	})
	return p
}

// recover writes what was lost into the file, on a line of its own. It asks for room for that and for
// the next bytes first, so that a disk that is still full isn't told of in half a line.
func (w *writer) recover(next int, now time.Time) error {
	if !w.lost.keep {
		w.shut()
	}
	if err := w.ready(now); err != nil {
		return err
	}
	var mark []byte
	if w.midLine {
		mark = append(mark, '\n')
	}
	if l := w.lost; l.bytes > 0 {
		mark = hostLine(mark, w.format, w.id, now, droppedText(l.lines, l.bytes, l.since, l.until, l.why))
	}
	if err := w.f.reserve(w.size, int64(len(mark)+next)); err != nil {
		return err
	}
	if len(mark) == 0 {
		return nil
	}
	n, err := w.f.Write(mark)
	w.size += int64(n)
	if n > 0 {
		w.midLine = mark[n-1] != '\n'
	}
	return err
}

// abandon gives up a loss that no file will tell of.
func (w *writer) abandon() {
	l := w.lost
	if l == nil || l.bytes == 0 {
		return
	}
	w.event(Event{
		Kind: EventDropped, Lines: l.lines, Bytes: l.bytes,
		Text: fmt.Sprintf("log %s could not be written to the end: dropped %d lines (%d bytes): %s", human.Path(w.path), l.lines, l.bytes, l.why),
	})
	w.lost = nil
}

// droppedText is what a file says of lines that it lacks.
func droppedText(lines, bytes int64, since, until time.Time, why string) string {
	return fmt.Sprintf("[host] dropped %d lines (%d bytes) between %s and %s: %s", lines, bytes, stamp(since), stamp(until), why)
}

func stamp(t time.Time) string { return t.UTC().Format(stampForm) }
