package process

import (
	"os"

	"golang.org/x/sys/unix"
)

// ownExe is the executable that runs now, also where its file was replaced or renamed meanwhile: the
// order is for just that one.
func ownExe(string) string { return "/proc/self/exe" }

func setAffinity(cpus []int) error {
	var set unix.CPUSet
	for _, c := range cpus {
		set.Set(c)
	}
	return unix.SchedSetaffinity(0, &set)
}

func noNewPrivs() error { return unix.Prctl(unix.PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) }

// followParent asks again for a signal at the death of the parent: to change the user cleared that
// (prctl(2), PR_SET_PDEATHSIG). A parent that is dead already sends none.
func followParent(parent int) error {
	if err := unix.Prctl(unix.PR_SET_PDEATHSIG, uintptr(unix.SIGKILL), 0, 0, 0); err != nil {
		return err
	}
	if os.Getppid() != parent {
		return unix.Kill(os.Getpid(), unix.SIGKILL)
	}
	return nil
}
