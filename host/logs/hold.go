package logs

import "time"

// hold keeps what came while another program had the log locked: a virus scanner or a backup lets go of it in
// a moment, and no stream may wait for that. The writer's mu guards it.
type hold struct {
	data  []byte
	whole bool // these are whole lines
	tries int
	timer *time.Timer
}

// maxHeld bounds what is kept for one log.
const maxHeld = 256 << 10

// keepHeld keeps p, and reports whether it could: the log is locked, not for long yet, and there is room.
func (w *writer) keepHeld(err error, p []byte) bool {
	if w.set.fs.locked == nil || !w.set.fs.locked(err) {
		return false
	}
	if w.held == nil {
		w.held = &hold{}
	}
	h := w.held
	if len(h.data)+len(p) > maxHeld || h.tries >= quickTries {
		return false
	}
	h.data, h.whole = append(h.data, p...), w.whole
	if h.timer == nil {
		h.timer = time.AfterFunc(quickRetry, w.retryHeld)
	}
	return true
}

// retryHeld is the timer of hold.
func (w *writer) retryHeld() {
	w.lock()
	defer w.unlock()
	if w.held == nil || w.closed {
		return
	}
	w.held.tries++
	w.held.timer = nil
	w.put(nil, time.Now())
}

// takeHeld returns what was kept followed by p, to be written or dropped.
func (w *writer) takeHeld(p []byte) []byte {
	h := w.held
	if h == nil {
		return p
	}
	w.held = nil
	if h.timer != nil {
		h.timer.Stop()
	}
	w.whole = w.whole || h.whole
	return append(h.data, p...)
}

// lastHeld has what is kept written or counted as dropped now: nothing comes after it.
func (w *writer) lastHeld() {
	if w.held != nil {
		w.held.tries = quickTries
		w.put(nil, time.Now())
	}
}
