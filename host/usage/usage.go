// Package usage samples what the trees of services use: when somebody looks, when a threshold asks, and in a slow
// round that is spread over time, for the pictures. It keeps a short history at two resolutions in memory.
package usage

import (
	"time"

	"servicehost/host/process"
)

// Period is how often what is watched is sampled.
const Period = 10 * time.Second

// Instance is one instance of a service. Run is the one whose usage can be asked for, zero where nothing runs: the
// history of an instance is kept for as long as it is named.
type Instance struct {
	ID        string
	Run       process.RunID
	StartedAt time.Time
}

// Sample is one measurement of the tree of one run.
type Sample struct {
	ID  string
	Run process.RunID
	At  time.Time
	// CPUPercent is that since the former sample of the same run, or since its start; 100 is one core.
	CPUPercent float64
	// Usage has in its second group what the last full look at the run found, At or earlier; 0 before the first one.
	// PeakMemory is at least the highest that was seen, ReadBytes and WriteBytes never go down.
	process.Usage
}

// Point is one moment of a history; what lies between two of them is averaged (CPU) or the highest (memory).
type Point struct {
	At         time.Time
	CPUPercent float32
	Memory     int64
}

// Series is a history at one resolution, oldest first; where nothing was running or nobody looked points are missing.
type Series struct {
	Step   time.Duration
	Points []Point
}

// History of one instance, over its runs.
type History struct {
	Fine, Coarse Series
}
