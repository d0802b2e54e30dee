//go:build unix

package upgrade

// crashPhases are all in which an upgrade can die.
var crashPhases = []phase{prepared, swapping, proving, stopped, reverting}
