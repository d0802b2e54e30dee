//go:build unix

package host

// runsAsSystem reports whether children that name no user have every right; on Unix everybody knows of root.
func runsAsSystem() bool { return false }
