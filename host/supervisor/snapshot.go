package supervisor

import (
	"slices"
	"time"

	"servicehost/host/journal"
	"servicehost/host/process"
	"servicehost/spec"
)

// Snapshot is how an instance stands. It is never changed once published.
type Snapshot struct {
	Key    Key
	ID     string
	State  State
	Health Health
	// HealthReason says what the readiness probe found where the instance isn't ready.
	HealthReason string
	Since        time.Time
	Reason       string

	Up         bool // what is wanted
	DownReason string
	DownBy     string // operator or spec
	Until      time.Time

	PID       int
	Run       process.RunID
	StartedAt time.Time // of the current run; zero: none
	Port      int
	Restarts  int
	NextTry   time.Time
	LastExit  *journal.Exit
	Runs      []JobRun // the latest of a job, oldest first
	ExitAt    time.Time

	// Spec is in force: what the run was started with, and what changed of it without a restart.
	Spec *spec.Service
	// Started is the spec that the process was started with; nil without a process.
	Started *spec.Service
	// Target is what it is to run, or was last to: it may have been rolled back from.
	Target *spec.Service
	// Beside is the spec of the run beside the current one; nil: there is none.
	Beside *spec.Service
	// Former is what a changed spec would go back to now; nil: nothing.
	Former *spec.Service
	// SpecState is applied, pending or rolled_back, as the contract of status says.
	SpecState string
	Rejected  string
	RejectWhy string
	// Vetoed reports whether it was rejected because another instance went back from it.
	Vetoed bool
	// Proving reports whether a changed spec still has to show that it works.
	Proving bool
	// Stalled says why a rollout stopped with this instance; empty: it did not.
	Stalled string
	// Rollout is how far the change to another run has come; nil: none is on its way.
	Rollout *Rollout
	// NextFailed says why the last run that was to replace the current one did not; empty: it did.
	NextFailed string
	// Looking reports whether it is being looked, for the first time, whether what it requires is there.
	Looking bool
	// Unmet reports whether it waits because that is not all there.
	Unmet bool
	// ForGood reports whether a failed instance will not try again by itself.
	ForGood bool

	former bool   // something of a former run is left: its hooks, or a run beside
	seq    uint64 // of the target that was taken in
}

// The values of Snapshot.SpecState.
const (
	SpecApplied    = "applied"
	SpecPending    = "pending"
	SpecRolledBack = "rolled_back"
)

// publish makes the present state visible and tells the coordinator. It is called at every change.
func (i *instance) publish() {
	if i.main != nil {
		i.main.publish()
		return
	}
	s := &Snapshot{
		Key: i.key, ID: i.spec.ID, State: i.state, Since: i.since, Reason: i.reason,
		Up: i.target.up && !i.target.remove, DownReason: i.target.downReason, DownBy: i.target.downBy, Until: i.target.until,
		Restarts: i.restarts, NextTry: i.nextTry, LastExit: i.lastExit, ExitAt: i.exitAt,
		Spec: i.spec, SpecState: SpecApplied, Rejected: i.rejected, RejectWhy: i.why, Proving: i.run != nil && i.proving && i.good != nil,
		ForGood: i.state == Failed && i.nextTry.IsZero(),
		Former:  i.good,
		Target:  i.target.spec,
		Runs:    slices.Clone(i.runs),
		Stalled: i.stalled, Vetoed: i.vetoed, Looking: i.state == Waiting && i.looking.first(), Unmet: i.state == Waiting && i.looking.tries > 0,
		former: i.former(),
		seq:    i.target.seq,
	}
	s.Health, s.HealthReason = i.health(), i.well.why
	s.Rollout, s.NextFailed = i.rollout(), i.next.failed
	if r := i.run; r != nil {
		s.PID, s.Run, s.StartedAt, s.Port, s.Started = r.ident.PID, r.id, r.started, r.port, r.spec
	}
	if i.side != nil {
		s.Beside = i.side.spec
	}
	switch {
	case i.rejected != "" && i.rejected == i.target.spec.Hash:
		s.SpecState = SpecRolledBack
	case i.run != nil && !sameSpec(i.spec, i.target.spec):
		s.SpecState = SpecPending
	}
	i.snap.Store(s)
	i.env.changed(i)
}

// publishSeen publishes again what a turn changed beside the state: a target or a spec was taken in, or the last of a
// former run is over, for which others may wait.
func (i *instance) publishSeen() {
	if p := i.snap.Load(); p.seq != i.target.seq || p.Spec != i.spec || p.former != i.former() {
		i.publish()
	}
}

// former reports whether something of a former run, or one beside the current, is there.
func (i *instance) former() bool { return i.leftover != nil || i.side != nil }

// busy reports whether the instance is on its way to what target t asks for. A wait for a dependency
// is not judged here.
func (p *Snapshot) busy(t *target) bool {
	if p.seq != t.seq {
		return true
	}
	switch p.State {
	case Stopping, Killing:
		return true
	case Starting:
		return !p.Up || p.SpecState == SpecPending || p.Health != HealthUnhealthy
	case Running:
		if p.Up && p.Spec.Type == spec.TypeScheduled {
			return false // what changed is for the next run
		}
		if p.Up && p.Rollout != nil && p.Rollout.State != RolloutMonitoring {
			return p.Rollout.State != RolloutHeld
		}
		return !p.Up || p.SpecState == SpecPending && p.Stalled == "" || p.Health == HealthStarting
	case Stopped:
		return p.Up
	case Waiting:
		return !p.Up || p.Looking || p.former
	case Backoff, Exited, Failed: // on its way only where it shall be down
	}
	return !p.Up
}
