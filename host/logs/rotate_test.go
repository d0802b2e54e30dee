package logs

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"servicehost/spec"
)

func TestRotationCutsAtLineEnds(t *testing.T) {
	long := strings.Repeat("x", 100)
	for _, c := range []struct {
		name   string
		size   int64
		chunks []string
		want   []string // the files, oldest first
	}{
		{"under the limit", 10, []string{"123\n", "456\n"}, []string{"123\n456\n"}},
		{"exactly the limit", 8, []string{"123\n", "456\n", "7\n"}, []string{"123\n456\n", "7\n"}},
		{"at the last line end that fits", 10, []string{"123\n456\n789\n"}, []string{"123\n456\n", "789\n"}},
		{"line ended before the chunk", 10, []string{"12345678\n", "abc\ndef\n"}, []string{"12345678\n", "abc\ndef\n"}},
		{"line across the limit is kept whole", 10, []string{"12345678", "abc\ndef\n"}, []string{"12345678abc\n", "def\n"}},
		{"line in many chunks is kept whole", 10, []string{"12345678", "abc", "def", "ghi\n", "x\n"}, []string{"12345678abcdefghi\n", "x\n"}},
		{"one line longer than the limit", 10, []string{long + "\nabc\n"}, []string{long + "\n", "abc\n"}},
		{"many files in one chunk", 4, []string{"123\n456\n789\n0\n"}, []string{"123\n", "456\n", "789\n", "0\n"}},
		{"no limit", 0, []string{long, long + "\n"}, []string{long + long + "\n"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			path := logPath(t)
			s, events := testSet(t, realFiles, testTiming)
			p, src := openPipeline(t, s, spec.Log{Path: path, MaxSize: c.size, MaxFiles: 100})
			for _, chunk := range c.chunks {
				src.send(chunk)
			}
			src.end()
			p.Drain(time.Minute)
			var got []string
			for _, name := range history(t, path) {
				got = append(got, content(t, name))
			}
			got = append(got, content(t, path))
			if !slices.Equal(got, c.want) {
				t.Errorf("files hold %q, want %q", got, c.want)
			}
			if k := events.kinds(); k != "" {
				t.Errorf("events: %s", k)
			}
		})
	}
}

func TestRotationBoundsFileWithoutLineEnds(t *testing.T) {
	path := logPath(t)
	s, _ := testSet(t, realFiles, testTiming)
	p, src := openPipeline(t, s, spec.Log{Path: path, MaxSize: 4096, MaxFiles: 100})
	chunk := strings.Repeat("x", 100_000)
	for range 50 {
		src.send(chunk)
	}
	src.end()
	p.Drain(time.Minute)
	names := append(history(t, path), path)
	for _, name := range names {
		if n := len(content(t, name)); n > 4096+reach {
			t.Errorf("%s has %d bytes", filepath.Base(name), n)
		}
	}
	if got := everything(t, path); len(got) != 50*len(chunk) {
		t.Errorf("%d of %d bytes", len(got), 50*len(chunk))
	}
}

func TestRotationKeepsCountAndForeignFiles(t *testing.T) {
	path := logPath(t)
	dir := filepath.Dir(path)
	foreign := []string{"api-backup.log", "api-20261121T090203.123Z.log.bz2", "api-20261321T090203.123Z.log", "api2-20001121T090203.123Z.log", "api-20001121T090203.123Z.txt"}
	for _, name := range foreign {
		put(t, filepath.Join(dir, name), "foreign")
	}
	folder := filepath.Join(dir, "api-20001121T090203.124Z.log")
	if err := os.Mkdir(folder, 0o750); err != nil {
		t.Fatal(err)
	}
	put(t, filepath.Join(dir, "api-20001121T090203.123Z.log"), "old\n")
	put(t, filepath.Join(dir, "api-20001121T090203.125Z.log.gz"), "old\n")
	s, _ := testSet(t, realFiles, testTiming)
	p, src := openPipeline(t, s, spec.Log{Path: path, MaxSize: 4, MaxFiles: 3})
	for _, text := range []string{"111\n", "222\n", "333\n", "444\n", "555\n"} {
		src.send(text)
	}
	src.end()
	p.Drain(time.Minute)
	for _, name := range append(foreign, filepath.Base(folder)) {
		if !exists(filepath.Join(dir, name)) {
			t.Errorf("%s was deleted", name)
		}
	}
	if err := os.Remove(folder); err != nil {
		t.Fatal(err)
	}
	names := history(t, path)
	if got := everything(t, path); len(names) != 3 || got != "222\n333\n444\n555\n" {
		t.Errorf("%q hold %q", names, got)
	}
	if !slices.IsSorted(names) {
		t.Errorf("names don't sort by time: %q", names)
	}
}

func TestRotationAtStartOfTooLargeFile(t *testing.T) {
	path := logPath(t)
	put(t, path, "former host\n")
	s, _ := testSet(t, realFiles, testTiming)
	p, src := openPipeline(t, s, spec.Log{Path: path, MaxSize: 10, MaxFiles: 2})
	src.send("new\n")
	src.end()
	p.Drain(time.Minute)
	if names := history(t, path); len(names) != 1 || content(t, names[0]) != "former host\n" || content(t, path) != "new\n" {
		t.Errorf("history %q, current %q", names, content(t, path))
	}
}

func TestSweepDeletesByAgeWithoutOutput(t *testing.T) {
	path := logPath(t)
	now := time.Now()
	old, young := rotatedPath(path, now.Add(-2*time.Hour).UnixMilli(), formGzip), rotatedPath(path, now.Add(-time.Minute).UnixMilli(), formPlain)
	put(t, old, "old")
	put(t, young, "young")
	s, _ := testSet(t, realFiles, testTiming)
	p := s.Pipeline("api", spec.Log{Path: path, MaxFiles: 10, MaxAge: time.Hour})
	defer p.Close()
	until(t, "old file deleted", func() bool { return !exists(old) })
	if !exists(young) {
		t.Error("a young file was deleted")
	}
	p.Apply("api", spec.Log{Path: path, MaxFiles: 10, MaxAge: time.Second})
	until(t, "young file deleted once the age is shorter", func() bool { return !exists(young) })
}

func TestRotateOnDemand(t *testing.T) {
	path := logPath(t)
	s, _ := testSet(t, realFiles, testTiming)
	p, src := openPipeline(t, s, spec.Log{Path: path, MaxFiles: 10})
	if err := p.Rotate(); err != nil || exists(path) {
		t.Fatalf("rotating nothing: %v, file there: %v", err, exists(path))
	}
	src.send("a\n")
	until(t, "a written", func() bool { return contentOrNone(path) == "a\n" })
	if err := p.Rotate(); err != nil {
		t.Fatal(err)
	}
	if n := len(history(t, path)); n != 1 || contentOrNone(path) != "" || !exists(path) {
		t.Fatalf("%d rotated, current %q", n, contentOrNone(path))
	}
	if err := p.Rotate(); err != nil || len(history(t, path)) != 1 {
		t.Fatalf("rotating an empty file: %v, %q", err, history(t, path))
	}
	src.send("half ")
	until(t, "half written", func() bool { return contentOrNone(path) == "half " })
	if err := p.Rotate(); err != nil {
		t.Fatal(err)
	}
	src.send("a line\nb\n")
	src.end()
	p.Drain(time.Minute)
	if names := history(t, path); len(names) != 2 || content(t, names[1]) != "half a line\n" || content(t, path) != "b\n" {
		t.Fatalf("history %q, current %q", names, content(t, path))
	}
}

func TestRotationFailingLosesNothing(t *testing.T) {
	path := logPath(t)
	var fail = errors.New("somebody holds it")
	var failing, failed = make(chan bool, 1), 0
	failing <- true
	files := realFiles
	files.rename = func(from, to string) error {
		on := <-failing
		failing <- on
		if on {
			failed++
			return fail
		}
		return renameLog(from, to)
	}
	s, events := testSet(t, files, testTiming)
	p, src := openPipeline(t, s, spec.Log{Path: path, MaxSize: 100, MaxFiles: 1000})
	n := 0
	until(t, "trouble told", func() bool { src.in <- numbered(n, 1); n++; return events.kinds() == EventTrouble })
	if got := everything(t, path); !strings.HasPrefix(string(numbered(0, n)), got) || len(history(t, path)) != 0 {
		t.Fatal("lines are missing while renaming fails")
	}
	if !strings.Contains(events.last().Text, fail.Error()) || events.last().ID != "api" || events.last().Path != path {
		t.Errorf("event: %+v", events.last())
	}
	<-failing
	failing <- false
	until(t, "recovery told", func() bool { src.in <- numbered(n, 1); n++; return events.kinds() == "trouble recovered" })
	src.end()
	p.Drain(time.Minute)
	if got := everything(t, path); got != string(numbered(0, n)) {
		t.Fatal("lines are missing")
	}
	if failed < quickTries || p.Stats().LinesDropped != 0 {
		t.Errorf("failed %d times, stats %+v", failed, p.Stats())
	}
}

func TestWriterFollowsRenamedFile(t *testing.T) {
	path := logPath(t)
	s, _ := testSet(t, realFiles, testTiming)
	p, src := openPipeline(t, s, spec.Log{Path: path, MaxFiles: 3})
	src.send("1\n")
	until(t, "1 written", func() bool { return contentOrNone(path) == "1\n" })
	if err := os.Rename(path, path+".1"); err != nil {
		t.Fatal(err)
	}
	n := 0
	until(t, "the file made anew", func() bool { src.send("2\n"); n++; return contentOrNone(path) != "" })
	src.end()
	p.Drain(time.Minute)
	if got := content(t, path+".1") + content(t, path); got != "1\n"+strings.Repeat("2\n", n) {
		t.Fatalf("files hold %q", got)
	}
}

func TestWriterSurvivesCopytruncate(t *testing.T) {
	path := logPath(t)
	tm := testTiming
	tm.check = 0 // with each write
	s, _ := testSet(t, realFiles, tm)
	p, src := openPipeline(t, s, spec.Log{Path: path, MaxSize: 1000, MaxFiles: 3})
	src.send(strings.Repeat("x", 900) + "\n")
	until(t, "written", func() bool { return len(contentOrNone(path)) == 901 })
	if err := os.Truncate(path, 0); err != nil {
		t.Fatal(err)
	}
	src.send(strings.Repeat("y", 900) + "\n")
	src.end()
	p.Drain(time.Minute)
	if got := content(t, path); got != strings.Repeat("y", 900)+"\n" || len(history(t, path)) != 0 {
		t.Fatalf("%d bytes in the file, history %q", len(got), history(t, path))
	}
}

func TestSweepLetsGoOfRemovedFile(t *testing.T) {
	if keepsRemovedNames() {
		t.Skip("a removed file keeps its name here as long as it is open")
	}
	path := logPath(t)
	tm := testTiming
	tm.sweep = 10 * time.Millisecond
	s, _ := testSet(t, realFiles, tm)
	p, src := openPipeline(t, s, spec.Log{Path: path, MaxFiles: 3})
	src.send("1\n")
	until(t, "1 written", func() bool { return contentOrNone(path) == "1\n" })
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	until(t, "the file is closed without output", func() bool {
		p.out.mu.Lock()
		defer p.out.mu.Unlock()
		return p.out.f == nil
	})
	src.send("2\n")
	src.end()
	p.Drain(time.Minute)
	if got := content(t, path); got != "2\n" {
		t.Fatalf("file holds %q", got)
	}
}

func TestLogWithAnotherNameIsMovedAside(t *testing.T) {
	dir := t.TempDir()
	path, secret := filepath.Join(dir, "api.log"), filepath.Join(dir, "secret")
	put(t, secret, "secret\n")
	if err := os.Link(secret, path); err != nil {
		t.Skip("no hard links here: ", err)
	}
	s, _ := testSet(t, realFiles, testTiming)
	p, src := openPipeline(t, s, spec.Log{Path: path, MaxFiles: 3})
	src.send("1\n")
	src.end()
	p.Drain(time.Minute)
	if got := content(t, secret); got != "secret\n" {
		t.Fatalf("written through a hard link: %q", got)
	}
	if got := content(t, path); got != "1\n" {
		t.Fatalf("file holds %q", got)
	}
}

func TestRotateDoesNotWaitForAWriteThatHangs(t *testing.T) {
	hang := make(chan struct{})
	files := realFiles
	files.open = func(path string) (logFile, error) {
		f, err := openLog(path)
		return hangingFile{f, hang}, err
	}
	tm := testTiming
	tm.closing = 20 * time.Millisecond
	s, _ := testSet(t, files, tm)
	path := logPath(t)
	p, src := openPipeline(t, s, spec.Log{Path: path, MaxFiles: 10})
	src.send("one\n")
	until(t, "the line is in the tail", func() bool { return len(p.Tail(1)) == 1 })
	if err := p.Rotate(); err == nil || !strings.Contains(err.Error(), "does not answer") {
		t.Errorf("rotating: %v", err)
	}
	close(hang)
	until(t, "rotated at last", func() bool { return len(history(t, path)) == 1 })
	if got := everything(t, path); got != "one\n" {
		t.Errorf("files hold %q", got)
	}
}

func TestRotateWhileTheDiskIsFull(t *testing.T) {
	path := logPath(t)
	disk := &smallDisk{reserves: true}
	disk.room.Store(10)
	s, events := testSet(t, disk.files(), testTiming)
	p, src := openPipeline(t, s, spec.Log{Path: path, MaxFiles: 10})
	src.send("one\n")
	src.send("two three\n")
	until(t, "trouble told", func() bool { return events.kinds() == EventTrouble })
	if err := p.Rotate(); err != nil {
		t.Fatal(err)
	}
	disk.room.Store(1 << 20)
	until(t, "rotated once there is room", func() bool { src.send("x\n"); return len(history(t, path)) == 1 })
	src.end()
	p.Drain(time.Minute)
	if got := content(t, history(t, path)[0]); !strings.HasPrefix(got, "one\n") || !strings.Contains(got, "dropped ") {
		t.Errorf("the rotated file holds %q", got)
	}
}

func TestNamesSortAlsoWhenTheClockIsSetBack(t *testing.T) {
	path := logPath(t)
	later := time.Now().Add(time.Hour).UnixMilli()
	put(t, rotatedPath(path, later, formPlain), "0\n")
	s, _ := testSet(t, realFiles, testTiming)
	p, src := openPipeline(t, s, spec.Log{Path: path, MaxSize: 2, MaxFiles: 10})
	for _, text := range []string{"1\n", "2\n", "3\n"} {
		src.send(text)
	}
	src.end()
	p.Drain(time.Minute)
	names := history(t, path)
	if got := everything(t, path); got != "0\n1\n2\n3\n" || !slices.IsSorted(names) || len(names) != 3 {
		t.Errorf("%q hold %q", names, got)
	}
}
