//go:build unix && !linux

package state

const processDead = "dead"

// processBorn is unknown here: a PID has to do.
func processBorn(int) string { return "" }
