package metrics

import (
	"bytes"
	"os"
	"strconv"
)

func (s *self) system() {
	s.cpu = cpuTime()
	if statm, err := os.ReadFile("/proc/self/statm"); err == nil {
		if fields := bytes.Fields(statm); len(fields) > 1 {
			if pages, err := strconv.ParseInt(string(fields[1]), 10, 64); err == nil {
				s.resident = pages * int64(os.Getpagesize())
			}
		}
	}
	s.handles = descriptors("/proc/self/fd")
}
