package logs

import (
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"servicehost/spec"
)

var errNoSpace = errors.New("no space left on device")

// smallDisk is a file system with room for so many bytes.
type smallDisk struct {
	room     atomic.Int64
	openFail atomic.Bool
	reserves bool
}

func (d *smallDisk) files() fileSystem {
	files := realFiles
	files.open = func(path string) (logFile, error) {
		if d.openFail.Load() {
			return nil, &fs.PathError{Op: "open", Path: path, Err: errNoSpace}
		}
		f, err := openLog(path)
		if err != nil {
			return nil, err
		}
		return smallFile{f, d}, nil
	}
	return files
}

type smallFile struct {
	logFile
	disk *smallDisk
}

func (f smallFile) Write(p []byte) (int, error) {
	for {
		room := f.disk.room.Load()
		n := min(room, int64(len(p)))
		if !f.disk.room.CompareAndSwap(room, room-n) {
			continue
		}
		m, err := f.logFile.Write(p[:n])
		if err == nil && m < len(p) {
			err = &fs.PathError{Op: "write", Path: "x", Err: errNoSpace}
		}
		return m, err
	}
}

func (f smallFile) reserve(_, n int64) error {
	if f.disk.reserves && f.disk.room.Load() < n {
		return errNoSpace
	}
	return nil
}

var markLine = regexp.MustCompile(`^\[host\] dropped (\d+) lines \((\d+) bytes\) between \S+Z and \S+Z: (.*)$`)

// account returns the whole numbered lines of text and the lines and bytes its marks tell of.
// Lines that are neither are halves.
func account(t *testing.T, text string) (whole, dropped, bytes int64, halves []string) {
	t.Helper()
	last := int64(-1)
	for line := range strings.Lines(text) {
		if m := markLine.FindStringSubmatch(strings.TrimSuffix(line, "\n")); m != nil {
			n, _ := strconv.ParseInt(m[1], 10, 64)
			b, _ := strconv.ParseInt(m[2], 10, 64)
			dropped, bytes = dropped+n, bytes+b
			continue
		}
		if len(line) == 53 && strings.HasSuffix(line, " the quick brown fox jumps over the lazy dog\n") {
			n, err := strconv.ParseInt(line[:8], 10, 64)
			if err != nil || n <= last {
				t.Errorf("line %q follows number %d", line, last)
			}
			last = n
			whole++
			continue
		}
		halves = append(halves, line)
	}
	return whole, dropped, bytes, halves
}

func TestFullDiskDropsWholeLinesAndCountsThem(t *testing.T) {
	for seed := range uint64(diskSeeds) {
		path := logPath(t)
		rnd := rand.New(rand.NewPCG(seed, 1))
		disk := &smallDisk{reserves: true}
		disk.room.Store(rnd.Int64N(5000))
		tm := testTiming
		tm.retry, tm.retryMax, tm.first = 0, 0, time.Hour
		s, events := testSet(t, disk.files(), tm)
		p, src := openPipeline(t, s, spec.Log{Path: path, MaxSize: 3000, MaxFiles: 1000})
		const lines = 400
		text := numbered(0, lines)
		for rest := text; len(rest) > 0; {
			n := min(len(rest), 1+rnd.IntN(700))
			src.in <- rest[:n]
			rest = rest[n:]
			if rnd.IntN(4) == 0 {
				disk.room.Add(rnd.Int64N(3000))
			}
		}
		disk.room.Store(1 << 20)
		src.end()
		p.Drain(time.Minute)
		all := everything(t, path)
		whole, dropped, bytes, halves := account(t, all)
		if whole+dropped != lines {
			t.Errorf("seed %d: %d lines in files and %d told as dropped, of %d", seed, whole, dropped, lines)
		}
		st := p.Stats()
		if st.LinesDropped != dropped || st.BytesDropped != bytes || st.Dropping != "" {
			t.Errorf("seed %d: stats %+v, marks tell of %d lines, %d bytes", seed, st, dropped, bytes)
		}
		var half int
		for _, h := range halves {
			half += len(h) - 1
			if !strings.Contains(string(text), strings.TrimSuffix(h, "\n")) || !strings.HasSuffix(h, "\n") {
				t.Errorf("seed %d: a half line %q is not of the stream or runs into others", seed, h)
			}
		}
		if got := int(whole)*53 + half + int(bytes); got != len(text) {
			t.Errorf("seed %d: %d bytes accounted for, of %d", seed, got, len(text))
		}
		if k := events.kinds(); strings.Count(k, "trouble") != strings.Count(k, "recovered") || strings.Contains(k, EventDropped) {
			t.Errorf("seed %d: events %s", seed, k)
		}
		p.Close()
	}
}

func TestFullDiskWithoutForesightStillCounts(t *testing.T) {
	path := logPath(t)
	disk := &smallDisk{}
	disk.room.Store(100)
	tm := testTiming
	tm.retry, tm.retryMax, tm.first = 0, 0, time.Hour
	s, _ := testSet(t, disk.files(), tm)
	p, src := openPipeline(t, s, spec.Log{Path: path})
	for i := range 50 {
		src.in <- numbered(i, 1)
		disk.room.Add(int64(i) % 60) // a mark often fits in part only
	}
	disk.room.Store(1 << 20)
	src.end()
	p.Drain(time.Minute)
	all := content(t, path)
	whole, dropped, bytes, _ := account(t, all)
	if st := p.Stats(); whole+dropped != 50 || st.LinesDropped != dropped || st.BytesDropped != bytes {
		t.Errorf("%d in the file, %d told as dropped, stats %+v:\n%s", whole, dropped, st, all)
	}
}

func TestLossWithinAnEndlessLineEnds(t *testing.T) {
	path := logPath(t)
	disk := &smallDisk{reserves: true}
	disk.room.Store(10)
	tm := testTiming
	tm.retry, tm.retryMax, tm.first = 0, 0, time.Hour
	s, _ := testSet(t, disk.files(), tm)
	p, src := openPipeline(t, s, spec.Log{Path: path})
	src.send(strings.Repeat("a", 20))
	src.send(strings.Repeat("b", 2*reach)) // the disk is still full
	until(t, "that dropped", func() bool {
		p.out.mu.Lock() // not in the middle of a try
		defer p.out.mu.Unlock()
		return p.Stats().BytesDropped == 10+2*reach
	})
	disk.room.Store(1 << 30)
	src.send(strings.Repeat("c", reach/2))
	src.send("d\n")
	src.send("e\n")
	src.send(strings.Repeat("f", 20))
	src.end()
	p.Drain(time.Minute)
	got := content(t, path)
	head, rest, _ := strings.Cut(got, "\n")
	mark, rest, _ := strings.Cut(rest, "\n")
	m := markLine.FindStringSubmatch(mark)
	if head != strings.Repeat("a", 10) || m == nil || m[1] != "1" || p.Stats().LinesDropped != 1 {
		t.Fatalf("file begins with %q, %q; stats %+v", head, mark, p.Stats())
	}
	if want := strconv.Itoa(10 + 2*reach + reach/2); m[2] != want || rest != "d\ne\n"+strings.Repeat("f", 20) {
		t.Fatalf("mark %q, then %d bytes", mark, len(rest))
	}
}

func TestFolderThatCannotBeMadeDrops(t *testing.T) {
	dir := t.TempDir()
	put(t, filepath.Join(dir, "file"), "")
	path := filepath.Join(dir, "file", "api.log")
	s, events := testSet(t, realFiles, testTiming)
	p, src := openPipeline(t, s, spec.Log{Path: path})
	src.send("one\ntwo\n")
	until(t, "trouble told", func() bool { return events.kinds() == EventTrouble })
	if st := p.Stats(); st.LinesDropped != 2 || st.BytesDropped != 8 || st.Dropping == "" {
		t.Errorf("stats: %+v", st)
	}
	// On Windows it can't be removed in the moment in which a sweep lists it.
	until(t, "the obstacle removed", func() bool { return os.Remove(filepath.Join(dir, "file")) == nil })
	until(t, "recovery told", func() bool { src.send("x\n"); return events.kinds() == "trouble recovered" })
	e := events.last()
	src.end()
	p.Drain(time.Minute)
	got := content(t, path)
	if !strings.HasPrefix(got, fmt.Sprintf("[host] dropped %d lines (%d bytes) between ", e.Lines, e.Bytes)) || !strings.HasSuffix(got, "\nx\n") {
		t.Errorf("file holds %q after %+v", got, e)
	}
}

func TestCloseInTheMiddleOfALossTells(t *testing.T) {
	disk := &smallDisk{}
	disk.openFail.Store(true)
	s, events := testSet(t, disk.files(), testTiming)
	p, src := openPipeline(t, s, spec.Log{Path: logPath(t)})
	src.send("one\ntwo")
	src.end()
	p.Drain(time.Minute)
	p.Close()
	if e := events.last(); events.kinds() != "trouble dropped" || e.Lines != 2 || e.Bytes != 7 {
		t.Errorf("events %s, the last %+v", events.kinds(), e)
	}
}

func TestSweepTellsOfLossWhenServiceIsSilent(t *testing.T) {
	path := logPath(t)
	disk := &smallDisk{}
	disk.openFail.Store(true)
	tm := testTiming
	tm.sweep = 10 * time.Millisecond
	s, events := testSet(t, disk.files(), tm)
	_, src := openPipeline(t, s, spec.Log{Path: path})
	src.send("one\n")
	until(t, "trouble told", func() bool { return events.kinds() == EventTrouble })
	disk.openFail.Store(false)
	disk.room.Store(1000)
	until(t, "mark written without output", func() bool { return strings.Contains(contentOrNone(path), "dropped 1 lines (4 bytes)") })
}

func TestWriteThatHangsBlocksNobodyElse(t *testing.T) {
	hang := make(chan struct{})
	files := realFiles
	files.open = func(path string) (logFile, error) {
		f, err := openLog(path)
		return hangingFile{f, hang}, err
	}
	tm := testTiming
	tm.closing = 10 * time.Millisecond
	s, _ := testSet(t, files, tm)
	path := logPath(t)
	p := s.Pipeline("api", spec.Log{Path: path})
	src := newStream()
	p.Attach(src, nil)
	src.send("one\n")
	until(t, "the line is in the tail", func() bool { return len(p.Tail(1)) == 1 })
	p.Apply("api", spec.Log{Path: path + "2"})
	p.Stats()
	p.Drain(10 * time.Millisecond)
	p.Close()
	close(hang)
	until(t, "the file closed at last", func() bool {
		p.out.mu.Lock()
		defer p.out.mu.Unlock()
		return p.out.closed
	})
}

type hangingFile struct {
	logFile
	hang chan struct{}
}

func (f hangingFile) Write(p []byte) (int, error) {
	<-f.hang
	return f.logFile.Write(p)
}
