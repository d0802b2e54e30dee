package supervisor

import "servicehost/host/journal"

// cause is why a run is being stopped, for programs; empty where another run is not to follow.
func (i *instance) cause() string {
	switch i.ended {
	case endUnwell:
		return journal.CauseProbe
	case endLimit:
		return journal.CauseLimit
	case endThreshold:
		return journal.CauseThreshold
	case endMaxRuntime:
		return journal.CauseMaxRuntime
	case endTarget:
		switch want := i.wanted(); {
		case !i.wantedUp() || i.scheduled():
		case i.run != nil && i.mustRestart(want):
			return journal.CauseChange
		default:
			return journal.CauseAsked
		}
	case endExited: // what it ended with says it
	}
	return ""
}
