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
	// Since Linux 6.2 the folder has their number for its size; with a thousand services listing it takes milliseconds.
	// https://docs.kernel.org/filesystems/proc.html
	if info, err := os.Stat("/proc/self/fd"); err == nil && info.Size() > 0 {
		s.handles = info.Size()
		return
	}
	s.handles = descriptors("/proc/self/fd")
}
