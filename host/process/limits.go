package process

import "time"

// What Event.Limit may be; the processor's limit is never reported.
const (
	limitMemory    = "memory"
	limitProcesses = "processes"
	limitCPU       = "cpu"
)

// hitEvery is how often a limit is reported at most: a tree that keeps running into one does so often.
const hitEvery = time.Second
