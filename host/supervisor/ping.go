package supervisor

// Ping returns once the coordinator has answered: it is alive, or has ended in order. A coordinator
// that hangs is what makes it wait.
func (s *Supervisor) Ping() { _ = s.do(func() {}) }

// Queued returns how many messages lie in the mailboxes of all instances.
func (s *Supervisor) Queued() (n int) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	for _, i := range s.list {
		n += i.box.length()
	}
	return n
}

func (m *mailbox) length() int {
	m.mu.Lock()
	defer m.mu.Unlock()
	return len(m.events) + len(m.calls)
}
