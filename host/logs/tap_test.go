package logs

import (
	"os"
	"path/filepath"
	"slices"
	"sync"
	"testing"

	"servicehost/spec"
)

// lineSink keeps the records that it is given.
type lineSink struct {
	mu    sync.Mutex
	lines []string
}

func (s *lineSink) Take(r Record) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.lines = append(s.lines, r.Stream+" "+string(r.Text))
}

func TestTapSeesLinesAndLeavesTheFileAlone(t *testing.T) {
	path := filepath.Join(t.TempDir(), "api.log")
	set := NewSet(Options{})
	defer set.Close()
	p := set.Pipeline("api", spec.Log{Path: path, MaxSize: 1 << 20, MaxFiles: 1})
	defer p.Close()
	var seen lineSink
	sink, end := p.Beside()
	sink([]byte("one\ntw"))
	p.Tap(&seen)
	sink([]byte("o\nthr"))
	sink([]byte("ee\r\n"))
	p.Tap(nil)
	sink([]byte("four\n\x1b[1mfive"))
	end()
	if want := []string{"stdout three"}; !slices.Equal(seen.lines, want) {
		t.Errorf("seen %q, want %q", seen.lines, want)
	}
	if got := fileText(t, path); got != "one\ntwo\nthree\r\nfour\n\x1b[1mfive" {
		t.Errorf("file %q", got)
	}
}

func fileText(t *testing.T, path string) string {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}
