package metrics

import (
	"runtime/metrics"
	"time"
)

// self is what the process of the host uses; a value below zero is not known.
type self struct {
	cpu        time.Duration
	resident   int64
	handles    int64 // descriptors on Unix
	threads    int64
	goroutines int64
	heap       int64
}

// readSelf never stops the world.
func readSelf() self {
	s := self{cpu: -1, resident: -1, handles: -1, threads: -1, goroutines: -1, heap: -1}
	s.system()
	asked := [...]metrics.Sample{{Name: "/sched/goroutines:goroutines"}, {Name: "/memory/classes/heap/objects:bytes"}, {Name: "/sched/threads/total:threads"}}
	metrics.Read(asked[:])
	for n, into := range [...]*int64{&s.goroutines, &s.heap, &s.threads} {
		if asked[n].Value.Kind() == metrics.KindUint64 {
			*into = int64(asked[n].Value.Uint64())
		}
	}
	return s
}
