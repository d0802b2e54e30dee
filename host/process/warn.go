package process

import "sync"

// onceWarner passes each of its warnings on once for each service, however often it is started.
type onceWarner struct {
	warn func(message string)

	mu   sync.Mutex
	said map[[2]string]bool
}

// say warns that something of a service can't be had. about tells one matter from another.
func (w *onceWarner) say(service, about, message string) {
	w.mu.Lock()
	key := [2]string{service, about}
	again := w.said[key]
	if w.said == nil {
		w.said = map[[2]string]bool{}
	}
	w.said[key] = true
	w.mu.Unlock()
	if !again {
		w.warn("service \"" + service + "\": " + message)
	}
}
