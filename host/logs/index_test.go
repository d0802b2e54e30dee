package logs

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"servicehost/spec"
)

// marksIn is what an index says, a mark a word: seconds since start, offset and seconds to the end of what was before.
func marksIn(t *testing.T, path string, start time.Time) string {
	t.Helper()
	b, err := os.ReadFile(indexPath(path))
	if os.IsNotExist(err) {
		return "none"
	}
	if err != nil || !strings.HasPrefix(string(b), indexHead) {
		t.Fatalf("%q %v", b, err)
	}
	var out []string
	before := int64(0)
	for b = b[len(indexHead):]; len(b) >= markSize; b = b[markSize:] {
		m, ok := getMark(b[:markSize], before)
		if !ok {
			t.Fatalf("a damaged mark: %q", b[:markSize])
		}
		ended := "-"
		if m.ended > 0 {
			ended = fmt.Sprint(float64(m.ended-start.UnixMilli()) / 1000)
		}
		out = append(out, fmt.Sprintf("%v:%d:%s", float64(m.at-start.UnixMilli())/1000, m.off, ended))
		before = m.at
	}
	return strings.Join(out, " ")
}

// writeAt writes as at the given time.
func writeAt(p *Pipeline, at time.Time, text string) {
	p.out.lock()
	defer p.out.unlock()
	p.out.put([]byte(text), at)
}

func TestIndexHasATimeForEachSecond(t *testing.T) {
	path := logPath(t)
	s, _ := testSet(t, realFiles, defaultTiming)
	p := s.Pipeline("api", spec.Log{Path: path})
	start := time.UnixMilli(1_700_000_000_000)
	sec := func(n float64) time.Time { return start.Add(time.Duration(n * float64(time.Second))) }
	writeAt(p, sec(0), "one\n")
	writeAt(p, sec(0.5), "two\n")
	writeAt(p, sec(0.9), "thr")
	writeAt(p, sec(1.1), "ee")         // no line begins here
	writeAt(p, sec(1.2), "\nfour\nfi") // but here
	writeAt(p, sec(5), "ve\n")
	writeAt(p, sec(9), "six\n")
	writeAt(p, sec(7), "seven\n") // the clock was set back
	s.FlushIndexes()
	want := "0:0:- 1.2:14:1.1 9:24:5 9:28:9 9:34:9"
	if got := marksIn(t, path, start); got != want {
		t.Errorf("marks %s, want %s", got, want)
	}
	p.Close()

	// The next host goes on, and knows when the file was written last.
	if err := os.Chtimes(path, sec(10), sec(10)); err != nil {
		t.Fatal(err)
	}
	p = s.Pipeline("api", spec.Log{Path: path})
	writeAt(p, sec(60), "again\n")
	p.Close()
	want += " 60:34:10 60:40:60"
	if got := marksIn(t, path, start); got != want {
		t.Errorf("after a restart %s, want %s", got, want)
	}
	log, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	if info, err := os.Stat(indexPath(path)); err != nil || info.Mode() != log.Mode() {
		t.Errorf("mode %v, of the log %v; %v", info.Mode(), log.Mode(), err)
	}
}

func TestIndexFollowsItsFile(t *testing.T) {
	path := logPath(t)
	s, _ := testSet(t, realFiles, testTiming)
	cfg := spec.Log{Path: path, MaxSize: 10, MaxFiles: 2}
	p := s.Pipeline("api", cfg)
	defer p.Close()
	start := time.UnixMilli(1_700_000_000_000)
	for n := range 5 {
		writeAt(p, start.Add(time.Duration(n)*10*time.Second), fmt.Sprintf("line %d..\n", n))
	}
	if got := history(t, path); len(got) != 2 || marksIn(t, got[0], start) != "20:0:-" || marksIn(t, got[1], start) != "30:0:-" {
		t.Errorf("rotated %q", got)
	}
	s.FlushIndexes()
	if got := marksIn(t, path, start); got != "40:0:- 40:9:40" {
		t.Errorf("current: %s", got)
	}
	all, err := filepath.Glob(strings.TrimSuffix(indexPath(path), ".log"+indexSuffix) + "*" + indexSuffix)
	if err != nil || len(all) != 3 {
		t.Errorf("%q are there, %v", all, err)
	}
}

func TestIndexIsNotWrittenInAFlood(t *testing.T) {
	path := logPath(t)
	s, _ := testSet(t, realFiles, testTiming)
	p := s.Pipeline("api", spec.Log{Path: path, MaxSize: 10, MaxFiles: 100})
	defer p.Close()
	start := time.UnixMilli(1_700_000_000_000)
	for n := range 20 {
		writeAt(p, start.Add(time.Duration(n)*100*time.Millisecond), fmt.Sprintf("line %02d.\n", n))
	}
	for n, name := range history(t, path) {
		if got := marksIn(t, name, start); (got == "none") != (n > 0) {
			t.Errorf("file %d: %s", n, got)
		}
	}
}

func TestIndexOfAnotherFileIsReplaced(t *testing.T) {
	start := time.UnixMilli(1_700_000_000_000)
	var other []byte
	other = append(other, indexHead...)
	other = mark{at: start.UnixMilli(), off: 7000}.put(other, 0)
	torn := append([]byte{}, indexHead...)
	torn = mark{at: start.UnixMilli(), off: 0}.put(torn, 0)
	for name, c := range map[string]struct {
		log, index, want string
	}{
		"new log":        {"", string(other), "5:0:- 5:4:5"},
		"shorter log":    {"old\n", string(other), "5:4:- 5:8:5"},
		"something else": {"old\n", "who knows what this is", "5:4:- 5:8:5"},
		"torn":           {"old\n", string(torn) + "\x01\x02", "0:0:- 5:4:3 5:8:5"},
		"head only":      {"old\n", indexHead, "5:4:- 5:8:5"},
		"less":           {"old\n", indexHead[:5], "5:4:- 5:8:5"},
	} {
		path := logPath(t)
		put(t, path, c.log)
		put(t, indexPath(path), c.index)
		if err := os.Chtimes(path, start.Add(3*time.Second), start.Add(3*time.Second)); err != nil {
			t.Fatal(err)
		}
		s, _ := testSet(t, realFiles, testTiming)
		p := s.Pipeline("api", spec.Log{Path: path})
		writeAt(p, start.Add(5*time.Second), "new\n")
		p.Close()
		if got := marksIn(t, path, start); got != c.want {
			t.Errorf("%s: %s, want %s", name, got, c.want)
		}
	}
}

func TestIndexIsNotWrittenThroughALink(t *testing.T) {
	path := logPath(t)
	target := filepath.Join(filepath.Dir(path), "precious")
	put(t, target, "untouched")
	if err := os.Symlink(target, indexPath(path)); err != nil {
		t.Skip(err)
	}
	s, _ := testSet(t, realFiles, testTiming)
	p := s.Pipeline("api", spec.Log{Path: path})
	writeAt(p, time.Now(), "new\n")
	p.Close()
	if got := content(t, target); got != "untouched" || content(t, path) != "new\n" {
		t.Errorf("%q", got)
	}
}

func TestIndexIsForgottenWithTheText(t *testing.T) {
	path := logPath(t)
	s, _ := testSet(t, realFiles, testTiming)
	p := s.Pipeline("api", spec.Log{Path: path})
	defer p.Close()
	start := time.UnixMilli(1_700_000_000_000)
	writeAt(p, start, "before it was cut\n")
	s.FlushIndexes()
	if err := os.Truncate(path, 0); err != nil {
		t.Fatal(err)
	}
	writeAt(p, start.Add(5*time.Second), "after\n")
	s.FlushIndexes()
	if got := marksIn(t, path, start); got != "5:0:- 5:6:5" {
		t.Errorf("%s", got)
	}
}

func TestMarksAllocateNothing(t *testing.T) {
	s, _ := testSet(t, realFiles, defaultTiming)
	p := s.Pipeline("api", spec.Log{Path: logPath(t)})
	defer p.Close()
	at := time.Now()
	p.out.lock()
	defer p.out.unlock()
	line := []byte("a line\n")
	for range marksKept {
		at = at.Add(time.Second)
		p.out.mark(line, at)
	}
	if n := testing.AllocsPerRun(100, func() {
		at = at.Add(time.Second)
		p.out.index.kept = p.out.index.kept[:marksKept-1]
		p.out.mark(line, at)
	}); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

func TestIndexGoesWithItsFile(t *testing.T) {
	path := logPath(t)
	put(t, indexPath(path), indexHead)
	put(t, path, "current\n")
	gone, kept := rotatedPath(path, 1_700_000_000_000, formPlain), rotatedPath(path, 1_700_000_000_001, formPlain)
	put(t, indexPath(gone), indexHead) // its file was deleted by hand
	put(t, indexPath(kept), indexHead)
	put(t, rotatedPath(path, 1_700_000_000_001, formGzip), packed(t, "kept\n"))
	s, _ := testSet(t, realFiles, testTiming)
	p := s.Pipeline("api", spec.Log{Path: path, MaxFiles: 5, Compress: spec.CompressGzip})
	defer p.Close()
	until(t, "the index without a file to be gone", func() bool { return !exists(indexPath(gone)) })
	if !exists(indexPath(kept)) || !exists(indexPath(path)) {
		t.Error("the index of a file is gone")
	}
	p.Apply("api", spec.Log{Path: path, MaxSize: 1})
	writeAt(p, epoch, "new\n")
	until(t, "all to be gone that is not kept", func() bool { return !exists(indexPath(kept)) })
	all, err := filepath.Glob(filepath.Join(filepath.Dir(path), "*Z*"))
	if err != nil || len(all) != 0 {
		t.Errorf("%q stay though no rotated file is kept", all)
	}
}
