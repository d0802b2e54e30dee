package logs

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"servicehost/spec"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// testTiming is fast where tests wait for something and slow where they must not be disturbed.
var testTiming = timing{
	check:    20 * time.Millisecond,
	retry:    20 * time.Millisecond,
	retryMax: 40 * time.Millisecond,
	gate:     100 * time.Millisecond,
	compress: time.Millisecond,
	first:    time.Millisecond,
	sweep:    time.Hour,
	settle:   time.Hour,
	silence:  time.Hour,
	trim:     time.Millisecond,
	settled:  10 * time.Millisecond,
	tell:     time.Hour,
	closing:  5 * time.Second,
}

// stream is a Source fed by the test.
type stream struct {
	in     chan []byte
	closed chan struct{}
	once   sync.Once
}

func newStream() *stream { return &stream{in: make(chan []byte), closed: make(chan struct{})} }

func (s *stream) Copy(sink func([]byte)) error {
	for {
		select {
		case b, ok := <-s.in:
			if !ok {
				return nil
			}
			sink(b)
		case <-s.closed:
			return nil
		}
	}
}

func (s *stream) Close() error {
	s.once.Do(func() { close(s.closed) })
	return nil
}

func (s *stream) send(text string) { s.in <- []byte(text) }
func (s *stream) end()             { close(s.in) }

type eventLog struct {
	mu  sync.Mutex
	all []Event
}

func (l *eventLog) add(e Event) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.all = append(l.all, e)
}

func (l *eventLog) kinds() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	var kinds []string
	for _, e := range l.all {
		kinds = append(kinds, e.Kind)
	}
	return strings.Join(kinds, " ")
}

func (l *eventLog) last() Event {
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.all) == 0 {
		return Event{}
	}
	return l.all[len(l.all)-1]
}

// testSet returns a Set that is closed with the test.
func testSet(t testing.TB, files fileSystem, tm timing) (*Set, *eventLog) {
	t.TempDir() // asked for before the Set is closed, it is removed after that
	events := &eventLog{}
	s := newSet(Options{OnEvent: events.add}, files, tm)
	t.Cleanup(s.Close)
	return s, events
}

// openPipeline returns a pipeline with one attached stream; both are closed with the test.
func openPipeline(t testing.TB, s *Set, cfg spec.Log) (*Pipeline, *stream) {
	p := s.Pipeline("api", cfg)
	t.Cleanup(p.Close)
	src := newStream()
	p.Attach(src, nil)
	return p, src
}

// until waits for a condition that has to come true.
func until(t testing.TB, what string, ok func() bool) {
	t.Helper()
	for end := time.Now().Add(10 * time.Second); !ok(); time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("never: %s", what)
		}
	}
}

func content(t testing.TB, path string) string {
	t.Helper()
	var r io.ReadCloser
	var err error
	if strings.HasSuffix(path, gzipSuffix) || strings.HasSuffix(path, zstdSuffix) {
		r, err = openPacked(path)
	} else {
		r, err = os.Open(path)
	}
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	b, err := io.ReadAll(r)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// contentOrNone is content, or nothing if there is no file.
func contentOrNone(path string) string {
	b, _ := os.ReadFile(path)
	return string(b)
}

// history is the names of the rotated files of a log, oldest first.
func history(t testing.TB, path string) []string {
	t.Helper()
	list, err := listRotated(path)
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, r := range list {
		for f := range r.form.each {
			names = append(names, rotatedPath(path, r.ms, f))
		}
	}
	return names
}

// everything is the content of a log with its rotated files.
func everything(t testing.TB, path string) string {
	var b strings.Builder
	for _, name := range history(t, path) {
		b.WriteString(content(t, name))
	}
	b.WriteString(contentOrNone(path))
	return b.String()
}

func logPath(t testing.TB) string { return filepath.Join(t.TempDir(), "api.log") }

// numbered is n lines that begin with from.
func numbered(from, n int) []byte {
	var b bytes.Buffer
	for i := range n {
		fmt.Fprintf(&b, "%08d the quick brown fox jumps over the lazy dog\n", from+i)
	}
	return b.Bytes()
}

// put places a file with its folder.
func put(t testing.TB, path, text string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o750); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o640); err != nil {
		t.Fatal(err)
	}
}

func exists(path string) bool {
	_, err := os.Lstat(path)
	return err == nil
}
