package supervisor

import "servicehost/spec"

// Meets reports whether what depends on the instance by condition c may run.
func (p *Snapshot) Meets(c spec.Condition) bool {
	done := p.State == Exited
	ran := done && p.Spec.Type == spec.TypeOneshot
	switch c {
	case spec.ConditionCompleted:
		return done
	case spec.ConditionStarted:
		return p.State == Running || ran
	case spec.ConditionHealthy:
		return p.State == Running && p.Health == HealthHealthy || ran
	}
	return false
}
