package host

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// stalled is a terminal that takes a write when it is let.
type stalled struct {
	let  chan error
	took []string
}

func (s *stalled) Write(p []byte) (int, error) {
	if err := <-s.let; err != nil {
		return 0, err
	}
	s.took = append(s.took, string(p))
	return len(p), nil
}

func TestStalledLogHoldsNobodyUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		out := &stalled{let: make(chan error)}
		var s *sink
		s = newSink(out, func(lines int) { fmt.Fprintf(s, "%d lines are missing\n", lines) })
		long := strings.Repeat("x", 1<<10) + "\n"
		const many = 2 * maxSink >> 10
		for range many {
			s.Write([]byte(long))
		}
		began := time.Now()
		s.Sync()
		if waited := time.Since(began); waited != sinkLinger {
			t.Errorf("a log that takes nothing was waited for %v", waited)
		}
		close(out.let)
		s.Sync()
		got := strings.Join(out.took, "")
		var missing int
		if _, err := fmt.Sscanf(got[strings.LastIndex(got[:len(got)-1], "\n")+1:], "%d lines are missing\n", &missing); err != nil {
			t.Fatal(err)
		}
		if written := strings.Count(got, long); written+missing != many || len(got) < maxSink {
			t.Errorf("%d of %d lines were written, %d counted", written, many, missing)
		}
		if len(out.took) > 4 {
			t.Errorf("%d writes", len(out.took))
		}
	})
}

func TestFailingLogIsToldOf(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		out := &stalled{let: make(chan error, 10)}
		var s *sink
		s = newSink(out, func(lines int) { fmt.Fprintf(s, "%d missing\n", lines) })
		full := errors.New("disk full")
		for _, answer := range []error{nil, full, full, nil, full, nil, nil} {
			out.let <- answer // the fifth is for what is told after line 3
		}
		for n := range 5 {
			fmt.Fprintf(s, "line %d\n", n)
			s.Sync()
		}
		if got := strings.Join(out.took, ""); got != "line 0\nline 3\nline 4\n1 missing\n" {
			t.Errorf("%q", got)
		}
	})
}
