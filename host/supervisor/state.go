// Package supervisor keeps the instances of a spec the way the spec says. One coordinator goroutine
// owns the graph, the wanted spec and the operators' wishes; each instance owns everything about itself,
// and takes its turns on a goroutine that is there while something is to be done. The coordinator hands
// out targets of which only the latest counts, instances publish snapshots and events; they never call
// each other.
package supervisor

// State is where an instance stands.
//
// The table of what may follow what is transitions; TestTransitionsAreTheTable holds it in step.
type State string

// The states.
const (
	Stopped  State = "stopped"  // not running, nor meant to
	Waiting  State = "waiting"  // for a dependency, the governor, or the end of a pause
	Starting State = "starting" // being started
	Running  State = "running"
	Stopping State = "stopping" // on its stop ladder
	Killing  State = "killing"  // being ended by force
	Backoff  State = "backoff"  // ended, tried again after a delay
	Exited   State = "exited"   // ended as a success, not started again
	Failed   State = "failed"   // given up, for now or for good
)

// transitions lists, for each state, the states that may follow.
var transitions = map[State][]State{
	Stopped:  {Waiting, Starting},
	Waiting:  {Starting, Stopped, Failed},
	Starting: {Running, Backoff, Exited, Failed, Stopping},
	Running:  {Stopping, Backoff, Exited, Failed},
	Stopping: {Killing, Stopped, Waiting, Starting, Backoff, Exited, Failed},
	Killing:  {Stopped, Waiting, Starting, Backoff, Exited, Failed},
	Backoff:  {Waiting, Starting, Stopped},
	Exited:   {Waiting, Starting, Stopped},
	Failed:   {Waiting, Starting, Stopped},
}

// hasProcess reports whether something of the instance may be running.
func (s State) hasProcess() bool {
	return s == Starting || s == Running || s == Stopping || s == Killing
}

// Health of an instance. Without probes an instance that runs is healthy once it runs.
type Health string

// The values of health.
const (
	HealthUnknown   Health = "unknown"
	HealthStarting  Health = "starting" // not ready yet
	HealthHealthy   Health = "healthy"
	HealthUnhealthy Health = "unhealthy" // not ready any more, or not within update.timeout
)
