package logs

import (
	"slices"
	"testing"
	"time"

	"servicehost/spec"
)

// TestRunBesideAnotherWritesAtOnce: a run that is meant to be there at the same time waits for no end of the
// former one, and the one behind both waits for the newer.
func TestRunBesideAnotherWritesAtOnce(t *testing.T) {
	path := logPath(t)
	tm := testTiming
	tm.gate = time.Hour
	s, _ := testSet(t, realFiles, tm)
	p, first := openPipeline(t, s, spec.Log{Path: path})
	first.send("first\n")
	first.send("") // the former is in the file
	second := newStream()
	p.AttachBeside(second, nil)
	second.send("second\n")
	second.send("")
	first.send("first again\n")
	first.end()
	second.send("and on\n")
	second.end()
	p.Drain(time.Minute)
	if got := content(t, path); len(got) != len("first\nsecond\nfirst again\nand on\n") || got[:13] != "first\nsecond\n" {
		t.Fatalf("file holds %q", got)
	}
	if got := p.Tail(9); len(got) != 4 || !slices.Contains(got, "first again") {
		t.Fatalf("tail: %q", got)
	}
}
