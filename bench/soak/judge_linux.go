package main

import (
	"fmt"
	"io"
	"slices"
	"text/tabwriter"
	"time"
)

// The phases of a soak.
const (
	phaseStart  = "start"
	phaseBefore = "before" // quiet, the noise is to come
	phaseNoise  = "noise"
	phaseSettle = "settle"
	phaseAfter  = "after" // quiet again
)

// judged is something that must not grow, and by how much it may all the same.
type judged struct {
	name string
	unit string
	of   func(sample) float64
	// noise is how far the last quarter of the noise may be above the first, rest how far the quiet after it may be
	// above the quiet before: a share, and so much besides.
	noiseShare, noisePlus float64
	restShare, restPlus   float64
	memory                bool // judged only over a time in which Go gives memory back
}

// The quarters of the noise differ by what happens to go on in them: how many services an edit left, what is being
// rolled out, compressed and read. At rest the same services run before and after, so what is counted must be equal,
// but for the connection of whoever asks, and the cgroups of jobs that have just run. Go keeps threads once it had use for them: one moment in which many wait for a
// disk may make thirty, a leak makes hundreds. Of its memory it keeps a tenth above the goal of its heap, which is twice
// what lives, and what lies between live objects; and histories of an hour are longer than none.
var judgement = []judged{
	{name: "memory (PSS)", unit: "MiB", of: func(s sample) float64 { return float64(s.PSS) / 1024 }, noiseShare: 0.20, noisePlus: 4, restShare: 0.25, restPlus: 8, memory: true},
	{name: "memory (RSS)", unit: "MiB", of: func(s sample) float64 { return float64(s.RSS) / 1024 }, noiseShare: 0.20, noisePlus: 4, restShare: 0.25, restPlus: 8, memory: true},
	{name: "Go heap", unit: "MiB", of: func(s sample) float64 { return float64(s.Heap) / 1024 }, noiseShare: 0.20, noisePlus: 4, restShare: 0.20, restPlus: 4, memory: true},
	{name: "guard (PSS)", unit: "MiB", of: func(s sample) float64 { return float64(s.GuardPSS) / 1024 }, noisePlus: 1, restPlus: 1, memory: true},
	{name: "goroutines", of: func(s sample) float64 { return float64(s.Goroutines) }, noiseShare: 0.10, noisePlus: 20, restPlus: 6},
	{name: "descriptors", of: func(s sample) float64 { return float64(s.Descriptors) }, noiseShare: 0.10, noisePlus: 20, restPlus: 3},
	{name: "threads", of: func(s sample) float64 { return float64(s.Threads) }, noisePlus: 40, restPlus: 40},
	{name: "cgroups", of: func(s sample) float64 { return float64(s.Cgroups) }, noiseShare: 0.15, noisePlus: 20, restPlus: 3},
}

// medians are those of one thing in the four times that are compared.
type medians struct{ before, first, last, after float64 }

func (j judged) medians(all []sample) medians {
	in := func(phase string) (list []float64) {
		for _, s := range all {
			if s.Phase == phase {
				list = append(list, j.of(s))
			}
		}
		return list
	}
	noise := in(phaseNoise)
	quarter := max(1, len(noise)/4)
	if len(noise) == 0 {
		quarter = 0
	}
	// At rest it is the end that counts: what was in use is given back by and by.
	late := func(list []float64) []float64 { return list[len(list)*2/3:] }
	return medians{median(late(in(phaseBefore))), median(noise[:quarter]), median(noise[len(noise)-quarter:]), median(late(in(phaseAfter)))}
}

func median(list []float64) float64 {
	if len(list) == 0 {
		return 0
	}
	list = slices.Sorted(slices.Values(list))
	return list[len(list)/2]
}

// judge compares, prints the table and returns what has grown. Memory is judged only where quiet gave Go the time
// to return it.
func judge(out io.Writer, all []sample, quiet time.Duration) (faults []string) {
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprint(w, "median of\tquiet before\tnoise, first quarter\tlast quarter\tquiet after\t\n")
	for _, j := range judgement {
		m := j.medians(all)
		word := ""
		if j.memory && quiet < memoryQuiet {
			word = "not judged"
		} else {
			word = "flat"
			if most := m.first*(1+j.noiseShare) + j.noisePlus; m.last > most {
				word = "GROWN"
				faults = append(faults, fmt.Sprintf("%s grew while it was noisy, from %.1f to %.1f, and %.1f is allowed", j.name, m.first, m.last, most))
			}
			if most := m.before*(1+j.restShare) + j.restPlus; m.after > most {
				word = "GROWN"
				faults = append(faults, fmt.Sprintf("%s is %.1f at rest and was %.1f before, and %.1f is allowed", j.name, m.after, m.before, most))
			}
		}
		format := "%s\t%.0f\t%.0f\t%.0f\t%.0f\t%s\n"
		if j.unit != "" {
			format = "%s\t%.1f\t%.1f\t%.1f\t%.1f\t%s\n"
		}
		fmt.Fprintf(w, format, j.name, m.before, m.first, m.last, m.after, word)
	}
	w.Flush()
	return faults
}

// memoryQuiet is how long it must be quiet for memory to be judged: Go collects every two minutes when nothing else
// makes it, and gives back after that.
const memoryQuiet = 2 * time.Minute
