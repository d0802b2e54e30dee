//go:build unix

package logs

import "time"

// How often everything is looked at: where changes of files are told, and where they are not.
const (
	pollTold   = time.Second
	pollUntold = 500 * time.Millisecond
)
