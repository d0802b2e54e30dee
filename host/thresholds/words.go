package thresholds

import (
	"fmt"
	"strconv"
	"time"

	"servicehost/host/human"
	"servicehost/host/usage"
	"servicehost/spec"
)

// measure returns the key of what a threshold looks at, and its limit.
func measure(t spec.Threshold) (name string, limit int64) {
	switch {
	case t.Memory > 0:
		return "memory", t.Memory
	case t.CPU > 0:
		return "cpu", int64(t.CPU)
	case t.Handles > 0:
		return "handles", int64(t.Handles)
	case t.Threads > 0:
		return "threads", int64(t.Threads)
	case t.Processes > 0:
		return "processes", int64(t.Processes)
	case t.MemoryGrowth > 0:
		return "memory_growth", t.MemoryGrowth
	}
	return "log", int64(t.Count)
}

// valueOf is what a threshold compares.
func valueOf(t spec.Threshold, u usage.Sample) int64 {
	switch {
	case t.Memory > 0:
		return u.Memory
	case t.CPU > 0:
		return int64(u.CPUPercent)
	case t.Handles > 0:
		return int64(u.Handles)
	case t.Threads > 0:
		return int64(u.Threads)
	}
	return int64(u.Processes)
}

// Amount writes a value of a measure with its unit.
func Amount(measure string, v int64) string {
	switch measure {
	case "memory":
		return human.Size(v)
	case "cpu":
		return strconv.FormatInt(v, 10) + "%"
	case "memory_growth":
		return human.Size(max(v, 0)) + "/h"
	}
	return strconv.FormatInt(v, 10)
}

// name is a threshold as its spec writes it: memory 400MiB.
func (l *level) name() string {
	m, limit := measure(l.threshold)
	if m == "log" {
		return fmt.Sprintf("log %q", l.threshold.Log)
	}
	return m + " " + Amount(m, limit)
}

// words say how things are: memory 450MiB, above 400MiB for 3 samples.
func (l *level) words() string {
	t := l.threshold
	m, limit := measure(t)
	value, most := Amount(m, l.value), Amount(m, limit)
	switch {
	case m == "log":
		text := fmt.Sprintf("%s that %s %q within %s", human.Count(int(l.value), "line"), verb(l.value), t.Log, human.Duration(t.Within))
		if !l.over {
			return text + fmt.Sprintf(", %d are too many", t.Count)
		}
		return text
	case m == "memory_growth" && l.over:
		return fmt.Sprintf("memory grows by %s, more than %s, for %s: a leak", value, most, human.Duration(window*time.Minute))
	case m == "memory_growth":
		return fmt.Sprintf("memory grows by %s, less than %s", value, most)
	case l.over:
		return fmt.Sprintf("%s %s, above %s for %s", m, value, most, spell(t.For))
	}
	return fmt.Sprintf("%s %s, no longer above %s", m, value, most)
}

func verb(n int64) string {
	if n == 1 {
		return "matches"
	}
	return "match"
}

// spell is how long so many samples take.
func spell(n int) string {
	if n == 1 {
		return "one sample"
	}
	return fmt.Sprintf("%d samples in a row", n)
}
