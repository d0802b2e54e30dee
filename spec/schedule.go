package spec

import "time"

// Schedule says when a scheduled service runs.
type Schedule struct {
	Cron     string        `key:"cron" class:"live" json:",omitzero"`     // five fields, six with seconds in front, or @daily and the like
	Timezone string        `key:"timezone" class:"live" json:",omitzero"` // IANA name; empty: that of the machine
	Overlap  Overlap       `key:"overlap" class:"live" json:",omitzero"`
	Jitter   time.Duration `key:"jitter" class:"live" json:",omitzero"`   // each run is late by a random part of it
	CatchUp  bool          `key:"catch_up" class:"live" json:",omitzero"` // one run at the start for those that were missed while the host was down
}

// Overlap says what happens when a run is due and the former one is not over.
type Overlap string

// The values of schedule.overlap.
const (
	OverlapSkip    Overlap = "skip"
	OverlapQueue   Overlap = "queue" // one waits at most
	OverlapReplace Overlap = "replace"
)
