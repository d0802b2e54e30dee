package logs

import (
	"errors"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"servicehost/spec"
)

// lockable are files that can't be opened while locked is set.
type lockable struct {
	locked atomic.Bool
	opens  atomic.Int64
}

var errLocked = errors.New("another program has it")

func (l *lockable) files() fileSystem {
	f := realFiles
	f.open = func(path string) (logFile, error) {
		l.opens.Add(1)
		if l.locked.Load() {
			return nil, errLocked
		}
		return realFiles.open(path)
	}
	f.locked = func(err error) bool { return errors.Is(err, errLocked) }
	return f
}

func TestOutputWaitsForALockedLog(t *testing.T) {
	var l lockable
	l.locked.Store(true)
	path := logPath(t)
	s, events := testSet(t, l.files(), testTiming)
	p, src := openPipeline(t, s, spec.Log{Path: path})
	src.send("1\n")
	src.send("2\n") // taken at once, though the first line is not written
	until(t, "tried by itself", func() bool { return l.opens.Load() > 2 })
	l.locked.Store(false)
	until(t, "written with nothing new to write", func() bool { return contentOrNone(path) == "1\n2\n" })
	src.send("3\n")
	src.end()
	p.Drain(time.Minute)
	if got, k := content(t, path), events.kinds(); got != "1\n2\n3\n" || k != "" {
		t.Errorf("the log holds %q, events: %q", got, k)
	}
}

func TestLogThatStaysLockedIsTold(t *testing.T) {
	var l lockable
	l.locked.Store(true)
	path := logPath(t)
	s, events := testSet(t, l.files(), testTiming)
	p, src := openPipeline(t, s, spec.Log{Path: path})
	src.send("1\n2\n")
	until(t, "given up", func() bool { return p.Stats().LinesDropped == 2 })
	if k := events.kinds(); k != EventTrouble {
		t.Errorf("events: %s", k)
	}
	l.locked.Store(false)
	until(t, "written again", func() bool { src.send("3\n"); return strings.Contains(contentOrNone(path), "3\n") })
	src.end()
	p.Drain(time.Minute)
	if got := content(t, path); !strings.HasPrefix(got, "[host] dropped ") {
		t.Errorf("the log holds %q", got)
	}
}

func TestLockedLogHoldsSoMuch(t *testing.T) {
	var l lockable
	l.locked.Store(true)
	s, _ := testSet(t, l.files(), testTiming)
	p, src := openPipeline(t, s, spec.Log{Path: logPath(t)})
	flood := []byte(strings.Repeat("x", maxHeld/2-1) + "\n")
	for range 3 {
		src.in <- flood
	}
	src.end()
	until(t, "the flood given up", func() bool { return p.Stats().BytesDropped == int64(3*len(flood)) })
}

func TestCloseTellsOfWhatALockedLogLost(t *testing.T) {
	var l lockable
	l.locked.Store(true)
	s, events := testSet(t, l.files(), testTiming)
	p, src := openPipeline(t, s, spec.Log{Path: logPath(t)})
	src.send("1\n")
	src.end()
	p.Drain(time.Minute)
	p.Close()
	if e := events.last(); e.Kind != EventDropped || e.Lines != 1 {
		t.Errorf("last event is %+v", e)
	}
}
