package journal

// DetailCause of Kind state tells a program why a run is being stopped that is to be followed by another one;
// Reason says the same in words.
const DetailCause = "cause"

// The values of DetailCause.
const (
	CauseProbe      = "probe"       // a probe found that it does not work
	CauseLimit      = "limit"       // it went on over its memory limit
	CauseThreshold  = "threshold"   // it crossed one whose action is restart
	CauseMaxRuntime = "max_runtime" // it ran for that long
	CauseChange     = "change"      // of its spec or its program
	CauseAsked      = "asked"       // an operator or what it depends on asked for a restart
)
