package process_test

import (
	"bytes"
	"fmt"
	"strconv"
	"strings"
	"sync"
	"testing"

	"servicehost/host/process"
)

func quoted(s string) string { return strconv.Quote(s) }

// numbered is what the part "lines" prints.
func numbered(n int) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, "line %d\n", i)
	}
	return b.String()
}

// checkSame compares long texts and shows where they part.
func checkSame(t *testing.T, got, want string) {
	t.Helper()
	if got == want {
		return
	}
	i := 0
	for i < len(got) && i < len(want) && got[i] == want[i] {
		i++
	}
	t.Errorf("%d bytes instead of %d; different from %d on: %.60q, want %.60q", len(got), len(want), i, got[i:], want[i:])
}

var outputCases = []suiteCase{
	{"OutputArrivesWhole", func(t *testing.T, s *stage) {
		id, _ := s.start(part("lines", "100000"))
		text := s.read(id, process.Stdout).awaitEnd(t)
		checkSame(t, text, numbered(100000))
		s.await(id, process.Gone)
		if text := s.read(id, process.Stdout).awaitEnd(t); text != "" {
			t.Errorf("after the end came %.60q", text)
		}
	}},
	{"OutputIsKeptAfterTheExit", func(t *testing.T, s *stage) {
		id, _ := s.start(part("lines", "100"))
		s.await(id, process.Gone)
		checkSame(t, s.read(id, process.Stdout).awaitEnd(t), numbered(100))
		s.Ack(id)
		if _, err := s.OpenOutput(id, process.Stdout); kindOf(t, err) != process.ErrNoRun {
			t.Errorf("OpenOutput after Ack: %v", err)
		}
	}},
	{"StderrShareKeepsTheOrder", func(t *testing.T, s *stage) {
		id, _ := s.start(part("both", "500"))
		var want strings.Builder
		for i := range 500 {
			fmt.Fprintf(&want, "out %d\nerr %d\n", i, i)
		}
		checkSame(t, s.read(id, process.Stdout).awaitEnd(t), want.String())
		if _, err := s.OpenOutput(id, process.Stderr); kindOf(t, err) != process.ErrNoRun {
			t.Errorf("OpenOutput of stderr: %v", err)
		}
		s.await(id, process.Gone)
	}},
	{"StderrCanBeSplit", func(t *testing.T, s *stage) {
		r := part("both", "500")
		r.SplitStderr = true
		id, _ := s.start(r)
		out, err := s.read(id, process.Stdout), s.read(id, process.Stderr)
		var wantOut, wantErr strings.Builder
		for i := range 500 {
			fmt.Fprintf(&wantOut, "out %d\n", i)
			fmt.Fprintf(&wantErr, "err %d\n", i)
		}
		checkSame(t, out.awaitEnd(t), wantOut.String())
		checkSame(t, err.awaitEnd(t), wantErr.String())
		s.await(id, process.Gone)
	}},
	{"OutputGoesOnBehindTheLastByte", func(t *testing.T, s *stage) {
		const lines = 50000
		id, _ := s.start(part("lines", strconv.Itoa(lines)))
		want := numbered(lines)
		var all bytes.Buffer
		for round := 1; all.Len() < len(want); round++ {
			if round > 10000 {
				t.Fatalf("no more than %d bytes arrive", all.Len())
			}
			out, err := s.OpenOutput(id, process.Stdout)
			if err != nil {
				t.Fatal(err)
			}
			// Closed from inside the sink, from beside it, or before it began.
			var beside sync.WaitGroup
			switch round % 10 {
			case 0:
				out.Close()
			case 5:
				beside.Go(func() { out.Close() })
			}
			before := all.Len()
			if err := out.Copy(func(p []byte) {
				all.Write(p)
				if all.Len()-before > 20000 {
					out.Close()
				}
			}); err != nil {
				t.Fatalf("Copy: %v", err)
			}
			beside.Wait()
			if round%10 == 0 && all.Len() != before {
				t.Error("Copy after Close handed something out")
			}
			out.Close()
		}
		checkSame(t, all.String(), want)
		s.await(id, process.Gone)
	}},
	{"CloseEndsAnIdleCopy", func(t *testing.T, s *stage) {
		id, _ := s.start(part("stop"))
		r := s.read(id, process.Stdout)
		r.awaitText(t, "ready")
		r.out.Close()
		r.awaitEnd(t)
		again := s.read(id, process.Stdout)
		if err := s.StopStep(id, stopSteps[0]); err != nil {
			t.Fatal(err)
		}
		if text := again.awaitEnd(t); text != "stopped\n" {
			t.Errorf("the second opening got %q", text)
		}
		s.await(id, process.Gone)
	}},
	{"EndOfOutputIsNotTheEnd", func(t *testing.T, s *stage) {
		id, ident := s.start(part("silent"))
		s.read(id, process.Stdout).awaitEnd(t)
		if _, ended := s.find(id, process.Exited); ended || !alive(ident.PID) {
			t.Fatal("it ended with its output")
		}
		if err := s.KillTree(id); err != nil {
			t.Fatal(err)
		}
		s.await(id, process.Gone)
	}},
	{"UnreadOutputBlocksOnlyItsChild", func(t *testing.T, s *stage) {
		flood, _ := s.start(part("lines", "1000000"))
		out, err := s.OpenOutput(flood, process.Stdout)
		if err != nil {
			t.Fatal(err)
		}
		// The sink stands still: what is behind it must not hold up others.
		stuck, release := make(chan struct{}), make(chan struct{})
		var once sync.Once
		copied := make(chan error, 1)
		go func() {
			copied <- out.Copy(func([]byte) {
				once.Do(func() { close(stuck) })
				<-release
			})
		}()
		<-stuck
		for range 5 {
			id, _ := s.start(part("lines", "2000"))
			checkSame(t, s.read(id, process.Stdout).awaitEnd(t), numbered(2000))
			s.await(id, process.Gone)
		}
		if _, ended := s.find(flood, process.Exited); ended {
			t.Error("the flood was taken in although nobody took it")
		}
		if err := s.KillTree(flood); err != nil {
			t.Fatal(err)
		}
		s.await(flood, process.Gone)
		close(release)
		if err := <-copied; err != nil {
			t.Errorf("Copy: %v", err)
		}
	}},
}

var loadCases = []suiteCase{
	{"ManyRunsAtOnce", func(t *testing.T, s *stage) {
		var wg sync.WaitGroup
		ids := make([]process.RunID, manyRuns)
		for i := range ids {
			ids[i] = s.name()
			wg.Go(func() {
				if _, err := s.Start(ids[i], part("lines", "100")); err != nil {
					t.Errorf("Start: %v", err)
					return
				}
				out, err := s.OpenOutput(ids[i], process.Stdout)
				if err != nil {
					t.Errorf("OpenOutput: %v", err)
					return
				}
				var text bytes.Buffer
				if err := out.Copy(func(p []byte) { text.Write(p) }); err != nil {
					t.Errorf("Copy: %v", err)
				}
				checkSame(t, text.String(), numbered(100))
			})
		}
		wg.Wait()
		for _, id := range ids {
			s.await(id, process.Gone)
			s.Ack(id)
		}
		if list := s.List(); len(list) != 0 {
			t.Errorf("%d runs are left", len(list))
		}
	}},
	{"RunsLeaveNothingOpen", func(t *testing.T, s *stage) {
		cycle := func(n int) {
			for range n {
				r := part("both", "1")
				r.SplitStderr, r.Stdin = true, true
				id, _ := s.start(r)
				s.read(id, process.Stdout).awaitEnd(t)
				s.await(id, process.Gone)
				s.Ack(id)
				// A start that fails holds nothing either.
				r.Path += ".none"
				if _, err := s.Start(s.name(), r); err == nil {
					t.Fatal("started")
				}
			}
		}
		leavesNothingOpen(t, cycle)
	}},
}
