package main

import (
	"strconv"
	"strings"
)

// note is what a child says about itself: that it runs, that its own child does, that it begins to write
// or has written all.
type note struct {
	kind, name string
	pid        int
	at         int64 // of CLOCK_MONOTONIC, in nanoseconds
	word       string
}

// parseNotes leaves out what is no note: the last line may be half written.
func parseNotes(text string) (all []note) {
	for line := range strings.Lines(text) {
		if !strings.HasSuffix(line, "\n") {
			break
		}
		words := strings.Fields(line)
		if len(words) != 5 {
			continue
		}
		pid, err := strconv.Atoi(words[2])
		if err != nil {
			continue
		}
		at, err := strconv.ParseInt(words[3], 10, 64)
		if err != nil {
			continue
		}
		all = append(all, note{words[0], words[1], pid, at, words[4]})
	}
	return all
}

// lastOf is the newest note of a kind by each child.
func lastOf(all []note, kind string) map[string]note {
	out := map[string]note{}
	for _, n := range all {
		if n.kind == kind {
			out[n.name] = n
		}
	}
	return out
}
