package process

import "os"

// Options of New.
type Options struct {
	// Exe is this program, re-executed as guard (Linux) or console helper (Windows). Empty: os.Executable.
	// Its main must call HelperMain first.
	Exe string
	// Guard asks for a guard process that ends every tree when this process is killed. Linux only:
	// on Windows the outer job does it.
	Guard bool
	// GuardFiles stay open in the guard, so that a lock held through one of them ends with the guard.
	GuardFiles []*os.File
	// Subreaper makes this process the parent of every orphaned descendant and reaps all of them:
	// nothing else in the process may wait for children of its own then. Linux only.
	Subreaper bool
	// NoCgroup keeps from using cgroups even where they are allowed. Linux only.
	NoCgroup bool
	// Secret finds a secret that a request names. Nil: requests that name one fail.
	Secret func(Secret) (string, error)
	// Warn is told, rarely, what can't be had here (a cgroup, a guard) and what that means. May be nil.
	Warn func(message string)
}
