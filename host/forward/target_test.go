package forward

import (
	"errors"
	"fmt"
	"os"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"servicehost/host/logs"
)

func TestTargetSendsWhatComesTogetherAfterAMoment(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t)
		r.start()
		begin := time.Now()
		r.take(0, 10)
		time.Sleep(2 * time.Second)
		synctest.Wait()
		numbers(t, r.m.all(), 0, 10)
		if len(r.m.calls) != 1 || r.m.times[0].Sub(begin) != linger {
			t.Errorf("sent %v after %v", r.m.calls, r.m.times[0].Sub(begin))
		}
		if got := filesOf(t, r.dir, ""); len(got) != 0 {
			t.Errorf("files %v of a target that was never away", got)
		}
		r.end(time.Second)
	})
}

func TestTargetSendsAFullBatchAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t)
		r.start()
		r.take(0, chunkRecords+1)
		synctest.Wait()
		if len(r.m.calls) != 1 || r.m.calls[0] != chunkRecords {
			t.Errorf("sent %v at once", r.m.calls)
		}
		r.end(time.Second)
		numbers(t, r.m.all(), 0, chunkRecords+1)
	})
}

// TestTargetAwayForAnHourLosesNothing: order and count are those of a target that was never away, and it is
// tried with growing delays, a minute apart at the end.
func TestTargetAwayForAnHourLosesNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t)
		r.cfg.Spool = 64 << 20
		r.m.answer = away
		r.start()
		for n := range 3600 {
			r.take(10*n, 10*n+10)
			time.Sleep(time.Second)
		}
		synctest.Wait()
		s := r.target.statistics()
		if s.State != StateTrouble || s.LastError != "connection refused" || s.WaitingRecords != 36000 || s.DroppedRecords != 0 {
			t.Errorf("%s: %s (%s)", s.State, s.LastError, describe(s))
		}
		if size := r.memory(); size > 1000 {
			t.Errorf("%d bytes are in memory", size)
		}
		for n, at := range r.m.times[1:] {
			gap := at.Sub(r.m.times[n])
			want := min(time.Second<<min(n, 6), time.Minute)
			if gap < want-want/5 || gap > want+want/5 {
				t.Errorf("try %d came after %v, want about %v", n+2, gap, want)
			}
		}
		if got := r.told(EventTrouble); len(got) != 1 || !strings.Contains(got[0].Text, `log target "one" takes nothing: connection refused; up to 64MiB is kept for it on disk`) {
			t.Errorf("events %v", got)
		}
		r.m.set(func(m *memory) { m.answer = nil })
		time.Sleep(2 * time.Minute)
		synctest.Wait()
		r.take(36000, 36005)
		time.Sleep(2 * time.Second)
		synctest.Wait()
		numbers(t, r.m.all(), 0, 36005)
		if got := r.told(EventRecovered); len(got) != 1 || !strings.Contains(got[0].Text, "36000 records waited") {
			t.Errorf("events %v", got)
		}
		if s := r.target.statistics(); s.State != StateOK || s.SentRecords != 36005 || s.WaitingRecords != 0 || s.SpooledBytes != 0 {
			t.Errorf("%s: %s", s.State, describe(s))
		}
		if got := filesOf(t, r.dir, segmentSuffix); len(got) != 0 {
			t.Errorf("the spool holds %v", got)
		}
		r.end(time.Second)
	})
}

// TestCrashLosesOnlyTheLastSecond looks at what is on disk while nothing was closed.
func TestCrashLosesOnlyTheLastSecond(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t)
		r.m.answer = away
		r.start()
		for n := range 20 {
			r.take(10*n, 10*n+10)
			time.Sleep(500 * time.Millisecond)
		}
		synctest.Wait()
		next := r.crash()
		next.start()
		time.Sleep(2 * time.Second)
		synctest.Wait()
		got := next.m.all()
		if len(got) < 180 {
			t.Errorf("only %d of 200 records are left", len(got))
		}
		numbers(t, got, 0, len(got))
		next.end(time.Second)
		r.end(time.Second)
	})
}

// TestSlowRequestIsWrittenDown: a target that takes a connection and does not answer must not hold records in
// memory; what it took in the end is not sent again by the next host.
func TestSlowRequestIsWrittenDown(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t)
		r.m.block = make(chan struct{})
		r.start()
		r.take(0, 10)
		time.Sleep(700 * time.Millisecond)
		r.take(10, 20)
		time.Sleep(1100 * time.Millisecond)
		synctest.Wait()
		if s := r.target.statistics(); s.WaitingRecords != 20 || s.SpooledBytes == 0 {
			t.Errorf("while it does not answer: %s", describe(s))
		}
		crashed := r.crash()
		close(r.m.block)
		synctest.Wait()
		numbers(t, r.m.all(), 0, 20)
		r.end(time.Second)
		crashed.start()
		time.Sleep(time.Second)
		synctest.Wait()
		numbers(t, crashed.m.all(), 0, 20)
		crashed.end(time.Second)
		again := crashed.crash()
		again.start()
		time.Sleep(time.Second)
		again.end(time.Second)
		if got := again.m.all(); len(got) != 0 {
			t.Errorf("sent again: %v", got)
		}
	})
}

func TestEndSendsOrKeepsWhatIsInMemory(t *testing.T) {
	for _, up := range []bool{true, false} {
		t.Run(fmt.Sprint(up), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r := newRig(t)
				if !up {
					r.m.block = make(chan struct{})
				}
				r.start()
				r.take(0, 10000)
				begin := time.Now()
				r.end(2 * time.Second)
				took := time.Since(begin)
				if up && took != 0 || !up && took != 2*time.Second {
					t.Errorf("the end took %v", took)
				}
				next := newRig(t)
				next.dir = r.dir
				next.start()
				time.Sleep(time.Second)
				next.end(time.Second)
				numbers(t, append(r.m.all(), next.m.all()...), 0, 10000)
				if up == (len(r.m.all()) == 0) {
					t.Errorf("%d were sent before the end", len(r.m.all()))
				}
			})
		})
	}
}

// TestOverflowIsCountedExactly: what is sent in the end and what was dropped make what was taken, and what is
// left is the newest, in order.
func TestOverflowIsCountedExactly(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t)
		r.m.answer = away
		r.start()
		pad := strings.Repeat("x", 1000)
		const all = 5000
		for n := range all {
			r.target.in.Take(textRecord(fmt.Sprintf("%06d%s", n, pad)))
			time.Sleep(10 * time.Millisecond)
		}
		time.Sleep(2 * time.Second)
		synctest.Wait()
		if s := r.target.statistics(); s.SpooledBytes > r.cfg.Spool || s.SpooledBytes < r.cfg.Spool/2 {
			t.Errorf("the spool takes %d of %d bytes", s.SpooledBytes, r.cfg.Spool)
		}
		r.m.set(func(m *memory) { m.answer = nil })
		time.Sleep(3 * time.Minute)
		synctest.Wait()
		s := r.target.statistics()
		got := r.m.all()
		if s.DroppedRecords == 0 || s.DroppedRecords+int64(len(got)) != all || s.SentRecords != int64(len(got)) {
			t.Errorf("%d arrived of %d (%s)", len(got), all, describe(s))
		}
		for n, text := range got {
			if want := fmt.Sprintf("%06d", all-len(got)+n); text[:6] != want {
				t.Fatalf("record %d is %s, want %s", n, text[:6], want)
			}
		}
		told := int64(0)
		events := r.told(EventDropped)
		for _, e := range events {
			told += e.Records
		}
		if told != s.DroppedRecords || len(events) > 4 || !strings.Contains(events[0].Text, "its spool of 1MiB is full") {
			t.Errorf("%d told of in %v", told, events)
		}
		r.end(time.Second)
	})
}

// TestOverflowWhileSending: the batch that is under way is the oldest, and its place in the spool is needed. It
// is counted as sent or as dropped, and never as both.
func TestOverflowWhileSending(t *testing.T) {
	for _, taken := range []bool{true, false} {
		t.Run(fmt.Sprint(taken), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r := newRig(t)
				r.m.block = make(chan struct{})
				r.start()
				pad := strings.Repeat("x", 1000)
				const all = 3000
				for n := range all {
					r.target.in.Take(textRecord(fmt.Sprintf("%06d%s", n, pad)))
					time.Sleep(10 * time.Millisecond)
				}
				synctest.Wait()
				if !taken {
					r.m.set(func(m *memory) { m.answer = away })
				}
				close(r.m.block)
				time.Sleep(500 * time.Millisecond)
				r.m.set(func(m *memory) { m.answer = nil })
				time.Sleep(time.Minute)
				synctest.Wait()
				s, got := r.target.statistics(), r.m.all()
				if s.DroppedRecords == 0 || s.DroppedRecords+int64(len(got)) != all || s.SentRecords != int64(len(got)) {
					t.Errorf("%d arrived of %d (%s)", len(got), all, describe(s))
				}
				for n := range got[1:] {
					if got[n] >= got[n+1] {
						t.Fatalf("%.6s comes before %.6s", got[n], got[n+1])
					}
				}
				r.end(time.Second)
			})
		})
	}
}

func TestMemoryOnlyIsBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t)
		r.cfg.Spool = 0
		r.m.answer = away
		r.start()
		pad := strings.Repeat("x", 10000)
		const all = 6000
		for n := range all {
			r.target.in.Take(textRecord(fmt.Sprintf("%06d%s", n, pad)))
			time.Sleep(time.Millisecond)
		}
		synctest.Wait()
		if r.memory() > intakeBytes {
			t.Errorf("%d bytes are in memory", r.memory())
		}
		r.m.set(func(m *memory) { m.answer = nil })
		time.Sleep(2 * time.Minute)
		synctest.Wait()
		s := r.target.statistics()
		if got := len(r.m.all()); s.DroppedRecords == 0 || int64(got)+s.DroppedRecords != all || got < 1600 {
			t.Errorf("%d arrived of %d (%s)", got, all, describe(s))
		}
		if got := filesOf(t, r.dir, ""); len(got) != 0 {
			t.Errorf("files %v", got)
		}
		r.end(time.Second)
	})
}

func TestTargetIsLeftAloneAsLongAsItAsks(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t)
		r.m.answer = func([]record) *outcome { return &outcome{err: errors.New("busy"), wait: 90 * time.Second} }
		r.start()
		r.take(0, 1)
		time.Sleep(4 * time.Minute)
		synctest.Wait()
		if len(r.m.times) != 3 || r.m.times[1].Sub(r.m.times[0]) != 90*time.Second {
			t.Errorf("tried at %v", r.m.times)
		}
		r.end(time.Second)
	})
}

// TestPartOfABatchIsNotSentAgain: some requests of a batch went well before one failed.
func TestPartOfABatchIsNotSentAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t)
		tries := 0
		r.m.answer = func(rs []record) *outcome {
			if tries++; tries < 4 {
				return &outcome{done: min(3, len(rs)), err: errAway}
			}
			return nil
		}
		r.start()
		r.take(0, 10)
		time.Sleep(700 * time.Millisecond)
		r.take(10, 20)
		time.Sleep(time.Minute)
		synctest.Wait()
		numbers(t, r.m.all(), 0, 20)
		if s := r.target.statistics(); s.SentRecords != 20 || s.WaitingRecords != 0 || s.SpooledBytes != 0 {
			t.Error(describe(s))
		}
		r.end(time.Second)
	})
}

func TestRefusedRecordsAreCountedAndTold(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t)
		r.m.answer = func(rs []record) *outcome { return &outcome{done: len(rs), refused: len(rs), why: "it answered 400"} }
		r.start()
		r.take(0, 10)
		time.Sleep(time.Second)
		r.m.set(func(m *memory) { m.answer = nil })
		r.take(10, 20)
		time.Sleep(time.Second)
		synctest.Wait()
		numbers(t, r.m.all(), 10, 20)
		if s := r.target.statistics(); s.SentRecords != 10 || s.DroppedRecords != 10 || s.DroppedBytes != 10 {
			t.Error(describe(s))
		}
		if got := r.told(EventDropped); len(got) != 1 || got[0].Text != `log target "one": dropped 10 records (10B): it answered 400` {
			t.Errorf("events %v", got)
		}
		r.end(time.Second)
	})
}

// TestChangedTargetIsTriedAtOnce: whoever mended the address in the spec does not wait for a minute.
func TestChangedTargetIsTriedAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t)
		r.m.answer = away
		r.start()
		r.take(0, 10)
		time.Sleep(10 * time.Minute)
		r.m.set(func(m *memory) { m.answer = nil })
		cfg := r.cfg
		cfg.URL = "tcp://y:1"
		r.target.changeTo(cfg)
		synctest.Wait()
		numbers(t, r.m.all(), 0, 10)

		// One that hangs is not waited for.
		r.m.set(func(m *memory) { m.block = make(chan struct{}) })
		r.take(10, 20)
		time.Sleep(600 * time.Millisecond)
		r.m.set(func(m *memory) { m.block = nil })
		r.target.changeTo(r.cfg)
		synctest.Wait()
		numbers(t, r.m.all(), 0, 20)
		r.end(time.Second)
	})
}

// TestSpoolThatCannotBeWritten: memory is bounded, what is in it keeps its place before what is written later,
// and both ends of it are told.
func TestSpoolThatCannotBeWritten(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t)
		r.cfg.Spool = 128 << 20
		r.m.answer = away
		if err := os.WriteFile(r.dir, nil, 0o600); err != nil { // where the folder has to be
			t.Fatal(err)
		}
		r.start()
		pad := strings.Repeat("x", 3000)
		number := 0
		take := func(n int) {
			for range n {
				r.target.in.Take(textRecord(fmt.Sprintf("%06d%s", number, pad)))
				number++
				time.Sleep(time.Millisecond)
			}
		}
		take(10000)
		synctest.Wait()
		if s := r.target.statistics(); s.DroppedRecords == 0 || s.SpooledBytes != 0 || r.memory() > intakeBytes {
			t.Errorf("%s, %d bytes in memory", describe(s), r.memory())
		}
		if err := os.Remove(r.dir); err != nil {
			t.Fatal(err)
		}
		time.Sleep(2 * time.Second)
		before := r.target.statistics().DroppedRecords
		take(10000)
		time.Sleep(2 * time.Second)
		synctest.Wait()
		if s := r.target.statistics(); s.DroppedRecords != before || s.SpooledBytes == 0 {
			t.Errorf("written again: %s, %d were dropped before", describe(s), before)
		}
		r.m.set(func(m *memory) { m.answer = nil })
		time.Sleep(2 * time.Minute)
		synctest.Wait()
		got := r.m.all()
		if s := r.target.statistics(); s.DroppedRecords+int64(len(got)) != 20000 {
			t.Errorf("%d arrived (%s)", len(got), describe(s))
		}
		for n := range got[1:] {
			if got[n] >= got[n+1] {
				t.Fatalf("%.6s comes before %.6s", got[n], got[n+1])
			}
		}
		if bad, good := r.told(EventTrouble), r.told(EventRecovered); len(bad) != 2 || len(good) != 2 || !strings.Contains(fmt.Sprint(bad), `cannot use the spool of log target "one"`) {
			t.Errorf("told %v and %v", bad, good)
		}
		r.end(time.Second)
	})
}

// TestIdleTargetDoesNothing: no timer, and no memory for records.
func TestIdleTargetDoesNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t)
		r.start()
		r.take(0, 20000)
		time.Sleep(idleAfter + time.Second)
		synctest.Wait()
		if at := r.target.next(time.Now()); !at.IsZero() {
			t.Errorf("it will look again in %v", time.Until(at))
		}
		if r.target.rs != nil || r.target.in.chunks != nil {
			t.Error("it keeps memory")
		}
		r.end(time.Second)
	})
}

func TestOneServiceLeavesRoomForOthers(t *testing.T) {
	in := intake{wake: make(chan struct{}, 1)}
	flood := logs.Record{Time: time.Now(), Service: "flood", Instance: 1, ID: "flood", Stream: "stdout", Text: []byte(strings.Repeat("x", 1000))}
	for range 20000 {
		in.Take(flood)
	}
	dropped := in.dropped.Load()
	if dropped == 0 || in.size > intakeBytes {
		t.Fatalf("%d were dropped, %d bytes are kept", dropped, in.size)
	}
	for n := range 1000 {
		in.Take(line(n))
	}
	if in.dropped.Load() != dropped {
		t.Error("the flood left no room for its neighbour")
	}
	for {
		c, ok := in.take(time.Now())
		if !ok {
			break
		}
		c.free()
	}
	if in.size != 0 || len(in.shares) != 0 {
		t.Errorf("%d bytes and the shares %v are left", in.size, in.shares)
	}
}

// TestTimesRise: receivers take equal lines of one time for one line.
func TestTimesRise(t *testing.T) {
	in := intake{wake: make(chan struct{}, 1)}
	now := time.Unix(1000, 0)
	for _, at := range []time.Time{now, now, now.Add(-time.Millisecond), now.Add(time.Second), now.Add(-time.Hour)} {
		r := line(1)
		r.Time = at
		in.Take(r)
	}
	rs, err := appendRecords(nil, in.chunks[0].data)
	if err != nil {
		t.Fatal(err)
	}
	want := []int64{now.UnixNano(), now.UnixNano() + 1, now.UnixNano() + 2, now.Add(time.Second).UnixNano(), now.Add(-time.Hour).UnixNano()}
	for n, r := range rs {
		if r.at != want[n] {
			t.Errorf("time %d is %d, want %d", n, r.at, want[n])
		}
	}
}

func TestRecordsComeBackAsTheyWere(t *testing.T) {
	long := strings.Repeat("y", maxText+10)
	in := []logs.Record{
		{Time: time.Unix(1, 5), Service: "api", Instance: 1, ID: "api", Stream: "stdout", Text: []byte("a\nb")},
		{Time: time.Unix(2, 5), Service: "api", Instance: 300, ID: "api.300", Stream: "stderr"},
		{Time: time.Unix(3, 5), Service: "x", Instance: 1, ID: "x", Stream: "host", Text: []byte(long)},
	}
	var b []byte
	for _, r := range in {
		b = appendRecord(b, r, r.Time.UnixNano())
	}
	rs, err := appendRecords(nil, b)
	if err != nil || len(rs) != len(in) {
		t.Fatalf("%d records, %v", len(rs), err)
	}
	for n, r := range rs {
		want := string(in[n].Text)
		if n == 2 {
			want = long[:maxText-len(cutMark)] + cutMark
		}
		if !r.time().Equal(in[n].Time) || string(r.service) != in[n].Service || string(r.appendID(nil)) != in[n].ID ||
			streams[r.stream] != in[n].Stream || r.instance != in[n].Instance || string(r.text) != want {
			t.Errorf("record %d is %.200v", n, r)
		}
	}
}
