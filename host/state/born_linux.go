package state

import (
	"bytes"
	"os"
	"strconv"
)

const processDead = "dead"

// processBorn is the start time of a process in ticks since boot with the id of that boot's first
// characters; processDead for one that has ended but is not reaped, "" where it is unknown.
func processBorn(pid int) string {
	stat, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/stat")
	if err != nil {
		return ""
	}
	// The name in parentheses may hold anything, so count from its end: state is field 3, start time 22.
	_, rest, ok := bytes.Cut(stat[max(0, bytes.LastIndexByte(stat, ')')):], []byte(") "))
	fields := bytes.Fields(rest)
	if !ok || len(fields) < 20 {
		return ""
	}
	if s := fields[0][0]; s == 'Z' || s == 'X' {
		return processDead
	}
	boot, err := os.ReadFile("/proc/sys/kernel/random/boot_id")
	if err != nil || len(boot) < 8 {
		return string(fields[19])
	}
	return string(fields[19]) + "-" + string(boot[:8])
}
