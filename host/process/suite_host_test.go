package process_test

import (
	"bytes"
	"fmt"
	"runtime/pprof"
	"strconv"
	"testing"
	"time"

	"servicehost/host/process"
)

// A killed host can't clean up after itself: what ends its trees must be the system or a guard.
func TestKilledHostLeavesNothing(t *testing.T) {
	s := newStage(t, newBackend(t))
	r := part("host")
	r.WholeTree = true // else this backend would end the tree of the inner host
	id, host := s.start(r)
	text := s.read(id, process.Stdout).awaitText(t, "grandchild ")
	var child, grandchild int
	if _, err := fmt.Sscanf(text, "child %d\ngrandchild %d\n", &child, &grandchild); err != nil {
		t.Fatalf("output %q: %v", text, err)
	}
	if !alive(child) || !alive(grandchild) {
		t.Fatal("the inner tree does not run")
	}
	killProcess(t, host.PID)
	s.await(id, process.Exited)
	awaitTrue(t, "the child is gone", func() bool { return !alive(child) })
	awaitTrue(t, "the grandchild is gone", func() bool { return !alive(grandchild) })
	s.await(id, process.Gone)
}

func TestStopCyclesLeaveNothingOpen(t *testing.T) {
	s := newStage(t, newBackend(t))
	cycle := func(n int) {
		for range n {
			id, _ := s.start(part("stop"))
			out := s.read(id, process.Stdout)
			out.awaitText(t, "ready")
			if err := s.StopStep(id, stopSteps[0]); err != nil {
				t.Fatal(err)
			}
			if exit := s.await(id, process.Gone).Exit; exit.Code != 5 {
				t.Fatalf("exit %+v", exit)
			}
			out.awaitEnd(t)
			s.Ack(id)
		}
	}
	leavesNothingOpen(t, cycle)
}

// leavesNothingOpen counts handles before and after many cycles; the first few open what stays.
func leavesNothingOpen(t *testing.T, cycle func(n int)) {
	t.Helper()
	cycle(10)
	before := openHandles(t)
	cycle(100)
	after := openHandles(t)
	if after > before+handleSlack {
		t.Errorf("%d handles before, %d after 100 cycles", before, after)
	}
	t.Logf("%d handles before, %d after 100 cycles", before, after)
}

// A flood must neither lose, double nor reorder a line, whatever the sizes of the reads are.
func TestFloodArrivesLineByLine(t *testing.T) {
	if testing.Short() {
		t.Skip("a hundred megabytes")
	}
	s := newStage(t, newBackend(t))
	const lines = 8_000_000 // 107 MB
	id, _ := s.start(part("lines", fmt.Sprint(lines)))
	out, err := s.OpenOutput(id, process.Stdout)
	if err != nil {
		t.Fatal(err)
	}
	c := lineCounter{t: t}
	if err := out.Copy(c.take); err != nil {
		t.Fatal(err)
	}
	if c.next != lines || len(c.rest) != 0 {
		t.Errorf("%d lines instead of %d, and a rest %q", c.next, lines, c.rest)
	}
	if c.bytes < 100_000_000 {
		t.Errorf("%d bytes", c.bytes)
	}
	s.await(id, process.Gone)
}

// lineCounter checks that lines of the part "lines" come one after the other.
type lineCounter struct {
	t     *testing.T
	next  int
	bytes int
	rest  []byte
	bad   int
	line  []byte
}

func (c *lineCounter) take(p []byte) {
	c.bytes += len(p)
	for {
		i := bytes.IndexByte(p, '\n')
		if i < 0 {
			c.rest = append(c.rest, p...)
			return
		}
		line := p[:i]
		if len(c.rest) > 0 {
			c.rest = append(c.rest, line...)
			line = c.rest
		}
		c.line = strconv.AppendInt(append(c.line[:0], "line "...), int64(c.next), 10)
		if !bytes.Equal(line, c.line) {
			if c.bad++; c.bad < 5 {
				c.t.Errorf("line %d is %q", c.next, line)
			}
		}
		c.next++
		c.rest = c.rest[:0]
		p = p[i+1:]
	}
}

// A thousand idle services must not cost a thousand threads, neither for their ends nor for their output.
func TestWaitingCostsNoThread(t *testing.T) {
	s := newStage(t, newBackend(t))
	threads := pprof.Lookup("threadcreate")
	var outs []*transcript
	start := func(n int) {
		for range n {
			id, _ := s.start(part("sleep"))
			outs = append(outs, s.read(id, process.Stdout))
			outs[len(outs)-1].awaitText(t, "ready")
		}
	}
	start(5)
	before := threads.Count()
	start(40)
	if after := threads.Count(); after > before+10 {
		t.Errorf("%d threads with 5 children, %d with 45", before, after)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	for _, o := range outs {
		select {
		case <-o.done:
		case <-time.After(patience):
			t.Fatal("Copy goes on after Close")
		}
	}
}
