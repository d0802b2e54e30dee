package supervisor

import "servicehost/host/logs"

// LogStats returns what became of the output of an instance since the host began; nothing of one that is not there.
func (s *Supervisor) LogStats(k Key) logs.Stats {
	if i := s.instance(k); i != nil {
		return i.log.Stats()
	}
	return logs.Stats{}
}
