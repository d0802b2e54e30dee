package process

// What Event.Limit may be; the processor's limit is never reported.
const (
	limitMemory    = "memory"
	limitProcesses = "processes"
	limitCPU       = "cpu"
)
