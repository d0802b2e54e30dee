package process

import (
	"sync/atomic"

	"golang.org/x/sys/unix"
)

// hostPeak is what this process had resident at most when that was asked last, in KiB. It never gets less.
var hostPeak atomic.Int64

// peakResident is what an ended process had resident at most, of which the kernel says maxrss, 0 where that can't be
// told. Until its exec a child shares the memory of the host, and the kernel counts that too: only more than the host
// itself ever had is the child's own for sure (setmax_mm_hiwater_rss in https://elixir.bootlin.com/linux/v6.12/source/fs/exec.c).
func peakResident(maxrss int64) int64 {
	if maxrss <= hostPeak.Load() {
		return 0
	}
	var own unix.Rusage
	if unix.Getrusage(unix.RUSAGE_SELF, &own) != nil {
		return 0
	}
	hostPeak.Store(own.Maxrss) // one stored late by another thread is no harm: it is asked again
	if maxrss <= own.Maxrss {
		return 0
	}
	return maxrss * 1024
}
