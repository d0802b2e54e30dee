package spec

import (
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"
)

// hostileFiles are texts made to cost time or memory. Each must be refused, or read, within bounds.
func hostileFiles() map[string]string {
	repeat := strings.Repeat
	bomb := func(open, sep, end string) string {
		var b strings.Builder
		b.WriteString("x-0: &a0 x\n")
		for i := range 30 {
			fmt.Fprintf(&b, "x-%d: &a%d %s*a%d%s*a%d%s\n", i+1, i+1, open, i, sep, i, end)
		}
		return b.String() + "services: {a: {command: *a30}}\n"
	}
	var many, chain, nest, keys, services, long, levels strings.Builder
	chain.WriteString("x-0: &a0 x\n")
	for i := range 20000 {
		fmt.Fprintf(&chain, "x-%d: &a%d [*a%d]\n", i+1, i+1, i)
	}
	for i := range 2000 {
		fmt.Fprintf(&nest, "%sa%d:\n", repeat(" ", i), i)
	}
	keys.WriteString("services:\n")
	for i := range 60000 {
		fmt.Fprintf(&keys, "  s%d: {}\n", i)
	}
	for i := range 15000 {
		fmt.Fprintf(&many, "  s%d: {command: x}\n", i)
	}
	services.WriteString("services:\n")
	for i := range 300 {
		fmt.Fprintf(&services, "  s%d: {command: 'x ${HOST_INSTANCE}', instances: 1000}\n", i)
	}
	long.WriteString("services:\n  a: {command: x, env: {")
	for i := range 60000 {
		fmt.Fprintf(&long, "A%d: '${X:-1}', ", i)
	}
	long.WriteString("}}\n")
	levels.WriteString("services:\n")
	for i := range 9000 {
		fmt.Fprintf(&levels, "  s%d: {command: x, depends_on: [s%d]}\n", i, (i+1)%9000)
	}
	var wide strings.Builder
	wide.WriteString("x-v: &v " + repeat("v", 60000) + "\nservices:\n  a: {command: [" + repeat("*v, ", 3000) + "], instances: 1000}\n")
	var subst strings.Builder
	subst.WriteString("vars: {V: " + repeat("v", 60000) + "}\nservices:\n  a: {command: [x" + repeat(", '${V}${HOST_INSTANCE}'", 100) + "], instances: 1000}\n")
	return map[string]string{
		"alias bomb of lists":     bomb("[", ", ", "]"),
		"alias bomb of mappings":  bomb("{a: ", ", b: ", "}"),
		"alias bomb of merges":    bomb("{<<: [", ", ", "]}"),
		"alias chain":             chain.String() + "services: {}\n",
		"alias in itself":         "services: &s {a: *s}\n",
		"nested flow lists":       repeat("[", 2_000_000),
		"nested flow closed":      "a: " + repeat("[", 9000) + repeat("]", 9000),
		"nested flow mappings":    repeat("{a: ", 1_000_000),
		"nested block":            nest.String(),
		"nested dashes":           repeat("- ", 1_000_000),
		"many elements":           "services: {a: {command: [" + repeat("x,", 1_500_000) + "]}}",
		"many services":           keys.String(),
		"many instances":          services.String(),
		"many variables":          long.String(),
		"circle of services":      levels.String(),
		"comments":                "services: {}\n" + repeat("#\n", 380_000),
		"comments at lines":       repeat("- a #\n", 100_000),
		"documents":               repeat("---\n", 300_000),
		"anchors":                 repeat("- &a a\n", 100_000),
		"one long line":           "services: {a: {command: '" + repeat("x ", 3<<20) + "'}}",
		"one long double quoted":  "services: {a: {command: \"" + repeat("\\t", 3<<20) + "\"}}",
		"one long key":            repeat("k", 7<<20) + ": 1",
		"open quotes":             repeat("a: 'b\n", 300_000),
		"wrong lines":             repeat("  a\n b: c\n", 100_000),
		"tabs":                    "a:\n" + repeat("\tb: c\n", 300_000),
		"blank":                   repeat(" ", 8<<20),
		"env lines in quotes":     "services: {a: {command: x, env_file: [q.env]}}",
		"env file for many":       "defaults: {env_file: many.env}\nservices:\n" + many.String(),
		"include of many":         "include: [" + repeat("services.yaml, ", 50_000) + "]\nservices: {}\n",
		"shared text":             wide.String(),
		"substituted text":        subst.String(),
		"open variables":          "services: {a: {command: '" + repeat("${A:-", 400_000) + "'}}",
		"closed variables":        "services: {a: {command: x, dir: '" + repeat("${A:-", 100_000) + repeat("}", 100_000) + "'}}",
		"backslashes of Windows":  "services: {a: {command: \"" + repeat(`C:\t `, 1<<20) + "\"}}",
		"duplicate keys":          "services: {a: {" + repeat("command: x, ", 60_000) + "}}",
		"unknown keys":            "services: {a: {" + strings.ReplaceAll(keys.String()[10:], "\n", ", ") + "}}",
		"control characters":      "services: {a: {command: " + repeat("\x01", 1<<20) + "}}",
		"steps":                   "services: {a: {command: x, stop: {steps: [" + repeat("foo, ", 60_000) + "]}}}",
		"dependencies on nothing": "services: {a: {command: x, depends_on: [" + repeat("foo, ", 60_000) + "]}}",
	}
}

const (
	hostileTime   = 2 * time.Second
	hostileMemory = 200 << 20
)

// TestHostileFilesCostLittle bounds the time and the heap of loading texts that are made to cost.
func TestHostileFilesCostLittle(t *testing.T) {
	for name, text := range hostileFiles() {
		t.Run(name, func(t *testing.T) {
			content := map[string]string{"services.yaml": text}
			if strings.Contains(text, "q.env") {
				content["q.env"] = strings.Repeat("A='\n'\n", 100_000) + "B='" + strings.Repeat("\n", 1<<18)
			}
			if strings.Contains(text, "many.env") {
				var b strings.Builder
				for i := range maxEnvFileEntries {
					fmt.Fprintf(&b, "A%d=\n", i)
				}
				content["many.env"] = b.String()
			}
			dir := files(t, content)
			runtime.GC()
			done := make(chan uint64)
			stop := make(chan struct{})
			go func() { done <- peakHeap(stop) }()
			begin := cpuTime(t)
			r := Load(Options{Files: []string{filepath.Join(dir, "services.yaml")}, Platform: "linux", LookupEnv: noEnv})
			took := cpuTime(t) - begin
			close(stop)
			peak := <-done
			if limit := hostileTime * slowness; took > limit {
				t.Errorf("took %v", took)
			}
			if peak > hostileMemory*slowness {
				t.Errorf("took %d MiB", peak>>20)
			}
			if (r.Spec == nil) == (len(r.Problems) == 0) {
				t.Error("neither a spec nor a problem")
			}
			if len(r.Problems) > maxProblems+1 {
				t.Errorf("%d problems", len(r.Problems))
			}
			t.Logf("%v, %d MiB, %d problems: %.150s", took.Round(time.Millisecond), peak>>20, len(r.Problems), r.Problems.Error())
		})
	}
}

// peakHeap samples the heap until stop and returns the most it had beyond what it had at first.
func peakHeap(stop <-chan struct{}) uint64 {
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	first, peak := m.HeapAlloc, uint64(0)
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for {
		select {
		case <-stop:
			return peak
		case <-tick.C:
			runtime.ReadMemStats(&m)
			if m.HeapAlloc > first {
				peak = max(peak, m.HeapAlloc-first)
			}
		}
	}
}

// TestDeviceIsNotRead: a device has no end, and a pipe no beginning until somebody writes.
func TestDeviceIsNotRead(t *testing.T) {
	if _, err := os.Stat("/dev/zero"); err != nil {
		t.Skip("no /dev/zero here")
	}
	refused(t, Load(Options{Files: []string{"/dev/zero"}, LookupEnv: noEnv}), "is not a regular file")
}

func TestAliasesAreOnlyNamedWhereThereAreAny(t *testing.T) {
	many := "services: {a: {command: [x" + strings.Repeat(",y", 250_000) + "]}}"
	if r := loadText(t, many); len(r.Problems) != 1 || strings.Contains(r.Problems[0].Message, "alias") || !strings.Contains(r.Problems[0].Message, "too many values") {
		t.Errorf("got %v", r.Problems)
	}
}
