package spec

import "time"

// Schedule says when a scheduled service runs.
type Schedule struct {
	Cron     string        `key:"cron" class:"live"`     // five fields, six with seconds in front, or @daily and the like
	Timezone string        `key:"timezone" class:"live"` // IANA name; empty: that of the machine
	Overlap  Overlap       `key:"overlap" class:"live"`
	Jitter   time.Duration `key:"jitter" class:"live"`   // each run is late by a random part of it
	CatchUp  bool          `key:"catch_up" class:"live"` // one run at the start for those that were missed while the host was down
}

// Overlap says what happens when a run is due and the former one is not over.
type Overlap string

// The values of schedule.overlap.
const (
	OverlapSkip    Overlap = "skip"
	OverlapQueue   Overlap = "queue" // one waits at most
	OverlapReplace Overlap = "replace"
)
