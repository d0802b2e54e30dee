package logs

import (
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"servicehost/spec"
)

func TestPipelineIsCheapUntilOutputArrives(t *testing.T) {
	path := filepath.Join(t.TempDir(), "logs", "api.log")
	s, _ := testSet(t, realFiles, testTiming)
	p, src := openPipeline(t, s, spec.Log{Path: path})
	if exists(filepath.Dir(path)) {
		t.Fatal("a folder was made before there is output")
	}
	src.send("one\n")
	src.end()
	p.Drain(time.Minute)
	if got := content(t, path); got != "one\n" {
		t.Fatalf("file holds %q", got)
	}
	if got := p.Stats(); got != (Stats{BytesWritten: 4, LinesWritten: 1}) {
		t.Fatalf("stats: %+v", got)
	}
}

func TestThousandPipelinesCostNothingIdle(t *testing.T) {
	tm := defaultTiming
	tm.first = time.Hour // a sweep isn't idle
	s, _ := testSet(t, realFiles, tm)
	dir := t.TempDir()
	before := runtime.NumGoroutine()
	var memory [2]runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&memory[0])
	all := make([]*Pipeline, 1000)
	for i := range all {
		all[i] = s.Pipeline("api", spec.Log{Path: filepath.Join(dir, fmt.Sprint(i)), MaxSize: 1, MaxFiles: 1, MaxAge: time.Hour})
	}
	runtime.GC()
	runtime.ReadMemStats(&memory[1])
	if n := runtime.NumGoroutine() - before; n > 0 {
		t.Errorf("%d goroutines for idle pipelines", n)
	}
	if n := int64(memory[1].HeapAlloc-memory[0].HeapAlloc) / 1000; n > 2000 {
		t.Errorf("%d bytes for an idle pipeline", n)
	}
	for _, p := range all {
		p.Close()
	}
}

func TestPipelineAppendsAndAddsNothing(t *testing.T) {
	path := logPath(t)
	put(t, path, "before")
	s, _ := testSet(t, realFiles, testTiming)
	p, src := openPipeline(t, s, spec.Log{Path: path})
	src.send(" and\x00after")
	src.end()
	p.Drain(time.Minute)
	if got := content(t, path); got != "before and\x00after" {
		t.Fatalf("file holds %q", got)
	}
}

func TestPipelineSplitsStderr(t *testing.T) {
	dir := t.TempDir()
	cfg := spec.Log{Path: filepath.Join(dir, "out.log"), Stderr: filepath.Join(dir, "err.log")}
	s, _ := testSet(t, realFiles, testTiming)
	p := s.Pipeline("api", cfg)
	defer p.Close()
	out, err := newStream(), newStream()
	p.Attach(out, err)
	out.send("o1\n")
	err.send("e1\n")
	until(t, "stderr written", func() bool { return contentOrNone(cfg.Stderr) != "" })
	cfg.Stderr = ""
	p.Apply("api", cfg)
	err.send("e2\n")
	out.end()
	err.end()
	p.Drain(time.Minute)
	if got := p.Stats(); got.BytesWritten != 9 || got.LinesWritten != 3 {
		t.Errorf("stats: %+v", got)
	}
	if got := content(t, filepath.Join(dir, "err.log")); got != "e1\n" {
		t.Errorf("err.log holds %q", got)
	}
	if got := content(t, filepath.Join(dir, "out.log")); got != "o1\ne2\n" && got != "e2\no1\n" {
		t.Errorf("out.log holds %q", got)
	}
}

func TestAttachWritesNewRunBehindFormer(t *testing.T) {
	path := logPath(t)
	tm := testTiming
	tm.gate = time.Hour
	s, _ := testSet(t, realFiles, tm)
	p, first := openPipeline(t, s, spec.Log{Path: path})
	second := newStream()
	p.Attach(second, nil)
	sent := make(chan struct{})
	go func() { second.send("second\n"); close(sent) }()
	first.send("first\n")
	select {
	case <-sent:
		t.Fatal("the new run's output was taken before the former run's had ended")
	case <-time.After(20 * time.Millisecond):
	}
	first.send("last words\n")
	first.end()
	<-sent
	second.end()
	p.Drain(time.Minute)
	if got := content(t, path); got != "first\nlast words\nsecond\n" {
		t.Fatalf("file holds %q", got)
	}
	if got := p.Tail(9); !slices.Equal(got, []string{"second"}) {
		t.Fatalf("tail: %q", got)
	}
}

func TestAttachGoesOnAfterDeadline(t *testing.T) {
	path := logPath(t)
	s, _ := testSet(t, realFiles, testTiming)
	p, first := openPipeline(t, s, spec.Log{Path: path})
	first.send("first\n")
	second := newStream()
	p.Attach(second, nil)
	second.send("second\n") // the former run's stream never ends
	first.send("late\n")
	second.end()
	p.Drain(10 * time.Millisecond)
	select {
	case <-first.closed:
	default:
		t.Fatal("Drain left a stream open")
	}
	if got := content(t, path); !strings.Contains(got, "second\n") || !strings.Contains(got, "late\n") {
		t.Fatalf("file holds %q", got)
	}
}

func TestCloseEndsEverything(t *testing.T) {
	path := logPath(t)
	s, _ := testSet(t, realFiles, testTiming)
	p, src := openPipeline(t, s, spec.Log{Path: path})
	src.send("x\n")
	p.Close()
	p.Close()
	<-src.closed
	late := newStream()
	p.Attach(late, nil)
	<-late.closed
	p.Apply("api", spec.Log{Path: path + "2"})
	if err := p.Rotate(); err != nil {
		t.Fatal(err)
	}
	p.Drain(0)
	if exists(path + "2") {
		t.Fatal("a closed pipeline wrote")
	}
}

func TestApplyChangesPathWhileRunning(t *testing.T) {
	dir := t.TempDir()
	a, b := filepath.Join(dir, "a.log"), filepath.Join(dir, "sub", "b.log")
	s, _ := testSet(t, realFiles, testTiming)
	p, src := openPipeline(t, s, spec.Log{Path: a})
	src.send("1\n")
	until(t, "first line written", func() bool { return contentOrNone(a) == "1\n" })
	p.Apply("api.1", spec.Log{Path: b, MaxSize: 4, MaxFiles: 9})
	src.send("22\n")
	src.send("33\n")
	src.end()
	p.Drain(time.Minute)
	if got := content(t, a); got != "1\n" {
		t.Errorf("old file holds %q", got)
	}
	if got := content(t, b); got != "33\n" || len(history(t, b)) != 1 {
		t.Errorf("new file holds %q, history %q", got, history(t, b))
	}
}

func TestApplyRacesWithOutput(t *testing.T) {
	dir := t.TempDir()
	s, _ := testSet(t, realFiles, testTiming)
	p := s.Pipeline("api", spec.Log{Path: filepath.Join(dir, "0.log"), Stderr: filepath.Join(dir, "e.log")})
	out, err := newStream(), newStream()
	p.Attach(out, err)
	done := make(chan struct{})
	go func() {
		defer close(done)
		for i := range 300 {
			cfg := spec.Log{Path: filepath.Join(dir, fmt.Sprint(i%3, ".log")), MaxSize: int64(i%2) * 2000, MaxFiles: 1000}
			if i%4 > 1 {
				cfg.Stderr = filepath.Join(dir, "e.log")
			}
			p.Apply("api", cfg)
			_ = p.Rotate()
			p.Tail(3)
			p.Stats()
		}
	}()
	const lines = 3000
	feed := func(s *stream) {
		for i := range lines {
			s.in <- numbered(i, 1)
		}
		s.end()
	}
	go feed(err)
	feed(out)
	<-done
	p.Drain(time.Minute)
	p.Close()
	var n int
	entries, e := os.ReadDir(dir)
	if e != nil {
		t.Fatal(e)
	}
	for _, entry := range entries {
		n += strings.Count(content(t, filepath.Join(dir, entry.Name())), " the quick brown fox jumps over the lazy dog\n")
	}
	if n != 2*lines {
		t.Fatalf("%d of %d lines in the files", n, 2*lines)
	}
}

func TestTailKeepsLastLines(t *testing.T) {
	s, _ := testSet(t, realFiles, testTiming)
	p, src := openPipeline(t, s, spec.Log{Path: logPath(t)})
	if got := p.Tail(5); len(got) != 0 {
		t.Fatalf("tail of nothing: %q", got)
	}
	for i := range 1000 {
		src.in <- numbered(i, 1)
	}
	src.send("\x1b[31mred\x1b[0m\tx\r\n\n\x1b]0;title\x07bell\x07\xff\u202e\nhalf")
	until(t, "last line in the tail", func() bool { return len(p.Tail(1)) == 1 && strings.HasPrefix(p.Tail(1)[0], "bell") })
	want := []string{"00000999 the quick brown fox jumps over the lazy dog", "red x", "bell\uFFFD"}
	if got := p.Tail(3); !slices.Equal(got, want) {
		t.Errorf("tail: %q", got)
	}
	if got := p.Tail(1 << 20); len(got) < 60 || len(got) > 80 || got[0][8:] != want[0][8:] {
		t.Errorf("%d lines in the tail, the first %q", len(got), got[0])
	}
	src.end()
	p.Drain(time.Minute)
	if got := p.Tail(1); got[0] != "half" {
		t.Errorf("last words: %q", got)
	}
	if got := p.Tail(-1); len(got) != 0 {
		t.Errorf("Tail(-1): %q", got)
	}
}

func TestTailEqualsEndOfStream(t *testing.T) {
	var all []byte
	var tl tail
	for i := range 2000 {
		chunk := numbered(i, 1+i*i%7)[:1+i*37%200%(50*(1+i*i%7))]
		if i%97 == 0 {
			chunk = numbered(i, 200)
		}
		all = append(all, chunk...)
		tl.add(chunk)
		want := all[max(0, len(all)-tailMax):]
		got := tl.buf
		if tl.full {
			got = append(slices.Clone(tl.buf[tl.pos:]), tl.buf[:tl.pos]...)
		}
		if string(got) != string(want) {
			t.Fatalf("after %d chunks the ring differs from the stream", i+1)
		}
	}
	if cap(tl.buf) > tailMax {
		t.Fatalf("the ring takes %d bytes", cap(tl.buf))
	}
}
