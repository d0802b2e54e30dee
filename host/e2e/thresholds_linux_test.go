package e2e

import (
	"debug/elf"
	"strings"
	"testing"

	"servicehost/host/journal"
)

// TestProcessIsDumpedAtAThreshold has gcore write a process. Wine takes a minute for it, and is asked in the package alone.
func TestProcessIsDumpedAtAThreshold(t *testing.T) {
	r := newRig(t)
	r.write(yaml(svc("native", thresholdCommand(t, "pair"), "thresholds: [{processes: 1, for: 1, action: dump}]")))
	r.start()
	r.poll("the dump", func() bool {
		return r.happened("native", journal.Dumped) != nil || r.happened("native", journal.Warning) != nil
	})
	if w := r.happened("native", journal.Warning); w != nil {
		if !strings.Contains(w.Reason, "gcore") { // which is not everywhere, nor may everybody trace
			t.Errorf("no dump: %s", w.Reason)
		}
		return
	}
	dumped := r.happened("native", journal.Dumped)
	core, err := elf.Open(dumped.Details[journal.DetailPath])
	if err != nil {
		t.Fatal(err)
	}
	defer core.Close()
	if core.Type != elf.ET_CORE || r.pidsOf()["native"] != dumped.PID {
		t.Errorf("a %s of process %d", core.Type, dumped.PID)
	}
}
