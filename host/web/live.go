package web

import (
	"net/http"
	"time"
)

// beat is how often a quiet stream shows that it stands.
const beat = 15 * time.Second

// live sends what changes as server-sent events, until its reader goes, falls too far behind, or is not to be let
// in any more.
func (h *handler) live(w http.ResponseWriter, r *http.Request, id identity) {
	c, ok := h.feed.join()
	if !ok {
		w.Header().Set("Retry-After", "10")
		refuse(w, http.StatusServiceUnavailable, "too many watch this host already", "close some of the pages")
		return
	}
	defer h.feed.leave(c)
	header := w.Header()
	header.Set("Content-Type", "text/event-stream")
	header.Set("X-Accel-Buffering", "no") // nginx would keep it back
	flusher := http.NewResponseController(w)
	send := func(frame []byte) bool {
		if _, err := w.Write(frame); err != nil {
			return false
		}
		return flusher.Flush() == nil
	}
	if !send([]byte("retry: 2000\n\n")) {
		return
	}
	quiet := time.NewTicker(beat)
	defer quiet.Stop()
	still := time.NewTicker(h.stillTime)
	defer still.Stop()
	for {
		var ok bool
		select {
		case frame := <-c.frames:
			ok = send(frame)
			quiet.Reset(beat)
		case <-quiet.C:
			ok = send([]byte(":\n\n"))
		case <-still.C:
			ok = id.still()
		case <-r.Context().Done():
		case <-h.listener.streams.Done():
		}
		if !ok {
			return
		}
	}
}
