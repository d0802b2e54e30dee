package process

import "golang.org/x/sys/unix"

// peakResident is what an ended process had resident at most, 0 where that can't be told. Until its exec a child
// shares the memory of the host, and the kernel counts that too: only more than the host itself ever had is the
// child's own for sure (setmax_mm_hiwater_rss in https://elixir.bootlin.com/linux/v6.12/source/fs/exec.c).
func peakResident(used *unix.Rusage) int64 {
	var own unix.Rusage
	if unix.Getrusage(unix.RUSAGE_SELF, &own) != nil || used.Maxrss <= own.Maxrss {
		return 0
	}
	return used.Maxrss * 1024
}
