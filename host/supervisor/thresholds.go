package supervisor

import (
	"time"

	"servicehost/host/process"
	"servicehost/spec"
)

// Snapshot returns how one instance stands, nil where there is none such. It never waits.
func (s *Supervisor) Snapshot(k Key) *Snapshot {
	if i := s.instance(k); i != nil {
		return i.snap.Load()
	}
	return nil
}

// RestartRun has a run ended and followed by another one, by the restart policy of its service, as one that a probe
// finds not to work. While the host is paused it goes on. It returns at once; a run that is over is left alone.
func (s *Supervisor) RestartRun(id process.RunID, reason string) {
	s.ofRun(id, func(i *instance) { i.run.unwanted = reason })
}

// KeepRun takes RestartRun back, where the run is not being stopped yet.
func (s *Supervisor) KeepRun(id process.RunID) {
	s.ofRun(id, func(i *instance) { i.run.unwanted = "" })
}

// RunAction runs an action beside a run as its hooks are run, with further variables, NAME=value. name stands in
// messages and in HOST_HOOK. It returns at once; a run that is over is left alone.
func (s *Supervisor) RunAction(id process.RunID, name string, a spec.Action, vars []string) {
	s.ofRun(id, func(i *instance) { i.hookWith(name, []spec.Action{a}, vars, i.told) })
}

func (s *Supervisor) ofRun(id process.RunID, f func(*instance)) {
	if i := s.instance(Key{id.Service, id.Instance}); i != nil {
		i.box.call(func(i *instance) {
			if i.run != nil && i.run.id == id && !i.run.leaving() {
				f(i)
			}
		})
	}
}

// stepThreshold ends the run that RestartRun named.
func (i *instance) stepThreshold(now time.Time) bool {
	why := i.run.unwanted
	if why == "" || i.target.paused || i.next.back && i.side != nil && i.side.pending() {
		return false
	}
	if i.proving && i.unproven(why) {
		return i.goBack(now)
	}
	return i.beginStop(now, why, endThreshold)
}

// watched tells who watches the instance from outside which spec is in force, and shows him the output.
func (i *instance) watched() {
	if i.env.inForce != nil && i.main == nil {
		i.log.Listen(i.env.inForce(i.spec))
	}
}
