//go:build unix && !linux

package metrics

func (s *self) system() {
	s.cpu = cpuTime()
	s.handles = descriptors("/dev/fd")
}
