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

// placeRotated makes n rotated files of a log with size bytes each, the first at the given minute.
func placeRotated(t testing.TB, path string, minute, n, size int) []string {
	t.Helper()
	var names []string
	for i := range n {
		at := time.Date(2026, 1, 1, 0, minute+i, 0, 0, time.UTC)
		names = append(names, rotatedPath(path, at.UnixMilli(), formPlain))
		put(t, names[i], strings.Repeat("x", size))
	}
	return names
}

func existing(names []string) (n int) {
	for _, name := range names {
		if exists(name) {
			n++
		}
	}
	return n
}

func TestBudgetTakesTheOldestOfWhoHasMost(t *testing.T) {
	dir := t.TempDir()
	path := func(name string) string { return filepath.Join(dir, name+".log") }
	flood := placeRotated(t, path("flood"), 100, 20, 1000)
	second := placeRotated(t, path("second"), 50, 4, 1000)
	small := placeRotated(t, path("small"), 0, 2, 500)
	s, events := testSet(t, realFiles, testTiming)
	for _, name := range []string{"flood", "second", "small"} {
		p := s.Pipeline(name, spec.Log{Path: path(name), MaxFiles: 1000})
		defer p.Close()
	}
	s.Limit(spec.LogsDir{Dir: dir, MaxTotal: 8000})
	until(t, "deletions told", func() bool { return events.kinds() == EventEvicted })
	if f, m, l := existing(flood), existing(second), existing(small); f != 4 || m != 3 || l != 2 {
		t.Errorf("%d, %d and %d files are left", f, m, l)
	}
	if !exists(flood[16]) || exists(second[0]) {
		t.Error("it wasn't the oldest that went")
	}
	want := `17 rotated files (16.6KiB) of "flood", "second" deleted early, as host.logs.max_total wants`
	if e := events.last(); e.Text != want || e.Bytes != 17_000 {
		t.Errorf("event: %+v", e)
	}
	if st := s.Stats(); st != (SetStats{RotatedBytes: 8000, EvictedFiles: 17, EvictedBytes: 17_000}) {
		t.Errorf("stats: %+v", st)
	}
	s.Limit(spec.LogsDir{Dir: dir, MaxTotal: 3000})
	until(t, "a smaller limit kept", func() bool { return s.Stats().RotatedBytes <= 3000 })
	if f, m, l := existing(flood), existing(second), existing(small); f != 1 || m != 1 || l != 2 {
		t.Errorf("%d, %d and %d files are left", f, m, l)
	}
	if events.kinds() != EventEvicted {
		t.Errorf("told again too soon: %s", events.kinds())
	}
}

func TestBudgetCountsLogsOfFormerServices(t *testing.T) {
	dir := t.TempDir()
	former := placeRotated(t, filepath.Join(dir, "former.log"), 0, 5, 1000)
	foreign := []string{"former.log", "notes-2026.log", "former-20260101T000000.000Z.log.bz2", "host.log.1", "x-20260101T000000.000Z/y"}
	for _, name := range foreign {
		put(t, filepath.Join(dir, name), strings.Repeat("x", 5000))
	}
	elsewhere := placeRotated(t, filepath.Join(t.TempDir(), "former.log"), 0, 5, 1000)
	link := rotatedPath(filepath.Join(dir, "link.log"), 1, formPlain)
	if err := os.Symlink(elsewhere[0], link); err != nil || !exists(link) { // Wine says it made one
		t.Log("no links here: ", err)
		link = elsewhere[0]
	}
	s, _ := testSet(t, realFiles, testTiming)
	p := s.Pipeline("api", spec.Log{Path: filepath.Join(dir, "api.log"), MaxFiles: 10})
	defer p.Close()
	s.Limit(spec.LogsDir{Dir: dir, MaxTotal: 2500})
	until(t, "the oldest gone", func() bool { return existing(former) == 2 && s.Stats().RotatedBytes == 2000 }) // deleted first, then counted
	if exists(former[2]) {
		t.Errorf("the third is there, stats %+v", s.Stats())
	}
	s.Limit(spec.LogsDir{Dir: dir, MaxTotal: 1})
	until(t, "all gone", func() bool { return existing(former) == 0 })
	for _, name := range foreign {
		if !exists(filepath.Join(dir, name)) {
			t.Errorf("%s was deleted", name)
		}
	}
	if existing(elsewhere) != 5 || !exists(link) {
		t.Errorf("files of another folder (%d left), or a link (%v), were deleted", existing(elsewhere), exists(link))
	}
}

func TestBudgetOfARemovedServiceIsKept(t *testing.T) {
	dir := t.TempDir()
	names := placeRotated(t, filepath.Join(dir, "api.log"), 0, 3, 1000)
	s, _ := testSet(t, realFiles, testTiming)
	s.Limit(spec.LogsDir{Dir: dir, MaxTotal: 1 << 30})
	p := s.Pipeline("api", spec.Log{Path: filepath.Join(dir, "api.log"), MaxFiles: 10})
	until(t, "files counted", func() bool { return s.Stats().RotatedBytes == 3000 })
	p.Close()
	if n := s.Stats().RotatedBytes; n != 3000 {
		t.Errorf("%d bytes are counted after the service was removed", n)
	}
	s.Limit(spec.LogsDir{Dir: dir, MaxTotal: 1000})
	until(t, "the oldest gone", func() bool { return existing(names) == 1 })
}

func TestBudgetLeavesRoomOnEachVolume(t *testing.T) {
	full, empty := t.TempDir(), t.TempDir()
	files := realFiles
	files.volume = func(dir string) (volume, error) {
		v := volume{id: "empty", size: 1 << 20, free: 1 << 20}
		if strings.HasPrefix(dir, full) {
			left, err := filepath.Glob(filepath.Join(full, "*-*.log"))
			if err != nil {
				return v, err
			}
			v = volume{id: "full", size: 20_000, free: 9_300 - 1000*int64(len(left))} // auto is 1000
		}
		return v, nil
	}
	on := placeRotated(t, filepath.Join(full, "api.log"), 0, 9, 1000)
	off := placeRotated(t, filepath.Join(empty, "web.log"), 0, 9, 1000)
	s, events := testSet(t, files, testTiming)
	for id, path := range map[string]string{"api": filepath.Join(full, "api.log"), "web": filepath.Join(empty, "web.log")} {
		p := s.Pipeline(id, spec.Log{Path: path, MaxFiles: 100})
		defer p.Close()
	}
	s.Limit(spec.LogsDir{Dir: full, MinFree: spec.AutoSize})
	until(t, "room made", func() bool { return existing(on) == 8 })
	s.Limit(spec.LogsDir{Dir: full, MinFree: 3000})
	until(t, "more room made", func() bool { return existing(on) == 6 })
	if existing(off) != 9 {
		t.Error("files of the other volume were deleted")
	}
	until(t, "told", func() bool {
		return strings.Contains(events.last().Text, `"api" deleted early, as host.logs.min_free wants`)
	})
	s.Limit(spec.LogsDir{Dir: full, MaxTotal: spec.AutoSize})
	until(t, "a tenth of the small volume kept", func() bool { return existing(on) == 2 })
	if existing(off) != 9 {
		t.Error("files of the other volume were deleted")
	}
}

func TestAutoSizes(t *testing.T) {
	for _, c := range []struct{ volume, total, free int64 }{
		{1000, 100, 50},
		{20 << 30, 2 << 30, 1 << 30},
		{10 << 30, 1 << 30, 512 << 20},
		{1 << 40, 10 << 30, 1 << 30},
	} {
		if total, free := maxTotal(spec.AutoSize, c.volume), minFree(spec.AutoSize, c.volume); total != c.total || free != c.free {
			t.Errorf("volume of %d: max_total %d, min_free %d", c.volume, total, free)
		}
	}
	if maxTotal(7, 1000) != 7 || minFree(0, 1000) != 0 {
		t.Error("a size of the spec isn't taken as it is")
	}
}

func TestRealVolumes(t *testing.T) {
	dir := t.TempDir()
	a, err := nearestVolume(volumeOf, filepath.Join(dir, "not", "there yet"))
	if err != nil || a.size <= 0 || a.free <= 0 || a.free > a.size {
		t.Fatalf("%+v, %v", a, err)
	}
	if b, err := volumeOf(dir); err != nil || a.id == "" || a.id != b.id {
		t.Errorf("%+v, %+v, %v", a, b, err)
	}
}

// boundedDisk has room for so many bytes of logs in one folder, and says so as the system does.
func boundedDisk(dir string, room int64) fileSystem {
	used := func() (n int64) {
		entries, _ := os.ReadDir(dir)
		for _, e := range entries {
			if info, err := e.Info(); err == nil && !strings.HasSuffix(e.Name(), indexSuffix) {
				n += info.Size()
			}
		}
		return n
	}
	files := realFiles
	files.volume = func(string) (volume, error) { return volume{id: "it", size: room, free: room - used()}, nil }
	files.open = func(path string) (logFile, error) {
		f, err := openLog(path)
		return boundedFile{f, func() int64 { return room - used() }}, err
	}
	return files
}

type boundedFile struct {
	logFile
	room func() int64
}

func (f boundedFile) Write(p []byte) (int, error) {
	n := max(0, min(int64(len(p)), f.room()))
	m, err := f.logFile.Write(p[:n])
	if err == nil && m < len(p) {
		err = fmt.Errorf("write: %w", errDiskFull)
	}
	return m, err
}

func TestFullDiskTakesOldFilesRatherThanLines(t *testing.T) {
	for _, format := range []spec.LogFormat{spec.FormatRaw, spec.FormatText} {
		path := logPath(t)
		tm := testTiming
		tm.trim = time.Hour // only what a full disk asks for
		s, events := testSet(t, boundedDisk(filepath.Dir(path), 60_000), tm)
		s.Limit(spec.LogsDir{Dir: filepath.Dir(path), MinFree: 5000})
		p, src := openPipeline(t, s, spec.Log{Path: path, MaxSize: 3000, MaxFiles: 1000, Format: format})
		const lines = 2000
		for n := 0; n < lines; n += 10 {
			src.in <- numbered(n, 10)
		}
		src.end()
		p.Drain(time.Minute)
		if st := p.Stats(); st.LinesDropped != 0 || st.Dropping != "" || s.Stats().EvictedFiles == 0 {
			t.Errorf("%s: stats %+v, %+v", format, st, s.Stats())
		}
		n := 0
		for line := range strings.Lines(everything(t, path)) {
			if !strings.HasSuffix(line, " the quick brown fox jumps over the lazy dog\n") {
				t.Fatalf("%s: a line is broken: %q", format, line)
			}
			n++
		}
		if !strings.Contains(contentOrNone(path), fmt.Sprintf("%08d the", lines-1)) || n < 300 {
			t.Errorf("%s: %d lines are left", format, n)
		}
		if k := events.kinds(); strings.Contains(k, EventTrouble) {
			t.Errorf("%s: events %s", format, k)
		}
		p.Close()
		s.Close()
	}
}

func TestFullDiskKeepsHistoryIfThatIsWanted(t *testing.T) {
	path := logPath(t)
	s, events := testSet(t, boundedDisk(filepath.Dir(path), 10_000), testTiming)
	s.Limit(spec.LogsDir{Dir: filepath.Dir(path), MinFree: 0, MaxTotal: 1 << 30})
	p, src := openPipeline(t, s, spec.Log{Path: path, MaxSize: 3000, MaxFiles: 1000})
	src.in <- numbered(0, 1000)
	src.end()
	p.Drain(time.Minute)
	if st := p.Stats(); st.LinesDropped == 0 || !strings.HasPrefix(everything(t, path), string(numbered(0, 150))) {
		t.Errorf("stats %+v", st)
	}
	if k := events.kinds(); strings.Contains(k, EventEvicted) {
		t.Errorf("events %s", k)
	}
}

func TestSweepForgetsWhatSomebodyElseDeleted(t *testing.T) {
	path := logPath(t)
	names := placeRotated(t, path, 0, 3, 1000)
	tm := testTiming
	tm.sweep = 10 * time.Millisecond
	s, _ := testSet(t, realFiles, tm)
	p := s.Pipeline("api", spec.Log{Path: path, MaxFiles: 10})
	defer p.Close()
	until(t, "files counted", func() bool { return s.Stats().RotatedBytes == 3000 })
	if err := os.Remove(names[1]); err != nil {
		t.Fatal(err)
	}
	until(t, "the deleted one forgotten", func() bool { return s.Stats().RotatedBytes == 2000 })
}
