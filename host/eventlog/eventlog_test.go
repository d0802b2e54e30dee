package eventlog

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
)

// fakeSink remembers what it was given.
type fakeSink struct {
	mu     sync.Mutex
	got    []record
	fail   error
	hang   chan struct{} // writes wait for it, where it is set
	closed bool
}

func (s *fakeSink) write(r record) error {
	if s.hang != nil {
		<-s.hang
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.fail != nil {
		return s.fail
	}
	s.got = append(s.got, r)
	return nil
}

func (s *fakeSink) close() { s.closed = true }

func (s *fakeSink) setFail(err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.fail = err
}

// lines are the records so far as "ID text | output".
func (s *fakeSink) lines() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	var out []string
	for _, r := range s.got {
		out = append(out, fmt.Sprintf("%d %s", r.kind.ID, strings.ReplaceAll(r.full("|"), "||Last output:|", " > ")))
	}
	return out
}

func wantLines(t *testing.T, s *fakeSink, want ...string) {
	t.Helper()
	if got := s.lines(); !slices.Equal(got, want) {
		t.Errorf("written:\n  %s\nwant:\n  %s", strings.Join(got, "\n  "), strings.Join(want, "\n  "))
	}
}

func TestCoreWritesImportantEvents(t *testing.T) {
	s := &fakeSink{}
	l := open(s, Options{})
	log := zap.New(l.Core())
	log.Info("", Of(Event{Kind: "host_started", Reason: "version 1"}))
	log.Info("nobody asked")
	log.Debug("", Of(Event{Kind: "stop_step", Reason: "ctrl_c"}))
	log.Info("", Of(Event{Kind: "reload_applied", Actor: "the file changed", Reason: "restart api"}))
	log.With(zap.Int("x", 1)).Warn("the clock went back")
	log.Error("cannot serve", Of(Event{Kind: "news", Service: "api"}))
	log.Error("a second problem", Leave())
	log.Info("", Of(Event{Kind: "operator", Service: "api", Reason: "stop", Actor: `ops\li.wei`}))
	l.Close(time.Minute)
	wantLines(t, s,
		"1 The host has started: version 1",
		"100 The edited spec was applied (the file changed): restart api",
		"900 the clock went back",
		`901 service "api": cannot serve`,
		`204 An operator acted (ops\li.wei): service "api": stop`,
	)
	if !s.closed {
		t.Error("the sink was not closed")
	}
}

func TestLastLinesGoWithWhatFollowsAnExit(t *testing.T) {
	s := &fakeSink{}
	l := open(s, Options{})
	log := zap.New(l.Core())
	exit := func(service string, lines ...string) {
		log.Debug("", Of(Event{Kind: "exited", Service: service, Lines: lines}))
	}
	exit("api", "opening", "\x1b[31mcannot open db\x1b[0m\x00")
	exit("web", "bye")
	log.Debug("", Of(Event{Kind: "started", Service: "web"}))
	log.Warn("", Of(Event{Kind: "backoff", Service: "web", Reason: "liveness lost"}))
	log.Warn("", Of(Event{Kind: "backoff", Service: "api", Reason: "exit 3, next try in 1s"}))
	exit("api")
	log.Error("", Of(Event{Kind: "failed", Service: "api", Reason: "too many restarts"}))
	l.Close(time.Minute)
	wantLines(t, s,
		`200 Service "web" is down and will be started again: liveness lost`,
		`200 Service "api" is down and will be started again: exit 3, next try in 1s > opening|cannot open db`,
		`201 Service "api" has failed: too many restarts`,
	)
}

func TestRecordIsBounded(t *testing.T) {
	var lines []string
	for n := range 1000 {
		lines = append(lines, fmt.Sprintf("%04d %s", n, strings.Repeat("\u670d", 200)))
	}
	r := newRecord(byKind["failed"], Event{Service: "api", Reason: strings.Repeat("\U0001F525", 40000), Lines: lines})
	total := 0
	for _, line := range r.output {
		total += len(line)
	}
	if len(r.output) > maxLines || total > maxOutput || !strings.HasPrefix(r.output[len(r.output)-1], "0999 ") {
		t.Errorf("%d lines of %d bytes, the last one %.20q", len(r.output), total, r.output[len(r.output)-1])
	}
	if len(r.text) > maxReason+100 || !strings.HasSuffix(r.text, "…") {
		t.Errorf("the text has %d bytes", len(r.text))
	}
	short := newRecord(byKind["failed"], Event{Lines: lines[:0:0]})
	if short.output != nil || short.text != `Service "" has failed` {
		t.Errorf("an empty event became %q with %q", short.text, short.output)
	}
}

func TestRecordHoldsNoControlCharacters(t *testing.T) {
	r := newRecord(byKind["failed"], Event{Service: "a\x00b", Reason: "one\r\n\x1b]0;x\x07two\n\n{service} %1", Actor: "x\ny", Lines: []string{"a\nb", "", "\x1b[2J"}})
	if want := `Service "ab" has failed: one; two; {service} %1`; r.text != want {
		t.Errorf("text is %q, want %q", r.text, want)
	}
	if !slices.Equal(r.output, []string{"ab"}) {
		t.Errorf("output is %q", r.output)
	}
}

func TestCrashLoopIsCutShort(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &fakeSink{}
		l := open(s, Options{})
		log := zap.New(l.Core())
		crash := func(service string) {
			log.Warn("", Of(Event{Kind: "backoff", Service: service, Reason: "exit 3"}))
			synctest.Wait()
		}
		for range 25 {
			crash("api")
		}
		crash("web")
		if got := len(s.lines()); got != 11 {
			t.Fatalf("%d events within a minute, want 10 of api and 1 of web", got)
		}
		time.Sleep(window + time.Second)
		synctest.Wait()
		crash("api")
		got := s.lines()
		if len(got) != 13 || got[11] != `998 service "api": 15 more events with ID 200 (backoff) left out within a minute` || !strings.HasPrefix(got[12], "200") {
			t.Errorf("after the minute: %q", got[11:])
		}
		for n := range 200 {
			crash(fmt.Sprint("s", n))
		}
		l.Close(time.Minute)
		got = s.lines()[13:]
		if len(got) != perKind || got[len(got)-1] != `998 101 more events with ID 200 (backoff) left out within a minute` {
			t.Errorf("%d events, the last one %q", len(got), got[len(got)-1])
		}
	})
}

func TestHangingLogHoldsNobodyUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &fakeSink{hang: make(chan struct{})}
		l := open(s, Options{})
		log := zap.New(l.Core())
		began := time.Now()
		for n := range queued + 51 { // one of them is with the sink
			log.Warn(fmt.Sprint("warning ", n))
			if n == 0 {
				synctest.Wait()
			}
		}
		if d := time.Since(began); d != 0 {
			t.Errorf("telling took %s", d)
		}
		began = time.Now()
		l.Close(2 * time.Second)
		if d := time.Since(began); d != 2*time.Second {
			t.Errorf("closing took %s", d)
		}
		close(s.hang)
		synctest.Wait()
		got := s.lines()
		if got[0] != "900 warning 0" || got[1] != "999 50 events before this one could not be written here" || got[2] != "900 warning 1" {
			t.Errorf("written: %q", got[:3])
		}
	})
}

func TestTroubleIsToldOnceAndCounted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var told []string
		s := &fakeSink{fail: errors.New("the service is gone")}
		l := open(s, Options{Trouble: func(err error) { told = append(told, err.Error()) }})
		log := zap.New(l.Core())
		log.Warn("one")
		log.Warn("two")
		synctest.Wait()
		s.setFail(nil)
		log.Warn("three")
		l.Close(time.Minute)
		wantLines(t, s, "999 2 events before this one could not be written here", "900 three")
		if !slices.Equal(told, []string{"the service is gone"}) {
			t.Errorf("trouble told: %q", told)
		}
	})
}

func TestCoreSeesFieldsOfItsLogger(t *testing.T) {
	s := &fakeSink{}
	l := open(s, Options{})
	zap.New(l.Core()).With(Of(Event{Kind: "last_good", Reason: "1 problem"})).Log(zapcore.ErrorLevel, "")
	l.Close(time.Minute)
	wantLines(t, s, "5 The host started with what worked last: 1 problem")
}
