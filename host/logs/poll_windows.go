package logs

import "time"

// Windows tells of a file that grows only when it is closed.
const (
	pollTold   = 250 * time.Millisecond
	pollUntold = 250 * time.Millisecond
)
