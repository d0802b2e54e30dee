//go:build unix && !linux

package requires

const holdersAreSeen = false
