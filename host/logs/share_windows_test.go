package logs

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/windows"

	"servicehost/spec"
)

// keepsRemovedNames reports whether this is Wine, where a file that was removed while open can be
// opened again by its name.
func keepsRemovedNames() bool {
	return windows.NewLazySystemDLL("ntdll.dll").NewProc("wine_get_version").Find() == nil
}

// openShared opens the file as another program does.
func openShared(t *testing.T, path string, share uint32) func() {
	t.Helper()
	name, err := windows.UTF16PtrFromString(path)
	if err != nil {
		t.Fatal(err)
	}
	h, err := windows.CreateFile(name, windows.GENERIC_READ, share, nil, windows.OPEN_EXISTING, windows.FILE_ATTRIBUTE_NORMAL, 0)
	if err != nil {
		t.Fatal(err)
	}
	return func() { windows.CloseHandle(h) }
}

func TestRotationWhileReaderSharesDeletion(t *testing.T) {
	for f, pack := range map[form]spec.Compression{formGzip: spec.CompressGzip, formZstd: spec.CompressZstd} {
		t.Run(string(pack), func(t *testing.T) { testSharedRotation(t, f, pack) })
	}
}

func testSharedRotation(t *testing.T, packed form, pack spec.Compression) {
	path := logPath(t)
	s, events := testSet(t, realFiles, testTiming)
	p, src := openPipeline(t, s, spec.Log{Path: path, MaxSize: 1000, MaxFiles: 100, Compress: pack})
	src.in <- numbered(0, 10)
	until(t, "written", func() bool { return contentOrNone(path) != "" })
	defer openShared(t, path, shareAll)()
	for n := 10; n < 100; n += 10 {
		src.in <- numbered(n, 10)
	}
	src.end()
	p.Drain(time.Minute)
	until(t, "all but the current compressed", func() bool {
		plain, err := filepath.Glob(filepath.Join(filepath.Dir(path), "*Z.log"))
		return err == nil && (len(plain) == 0 || keepsRemovedNames() && len(plain) == 1)
	})
	var b strings.Builder
	list, err := listRotated(path)
	if err != nil || len(list) < 4 {
		t.Fatalf("%d rotated files, %v", len(list), err)
	}
	for _, r := range list {
		b.WriteString(content(t, rotatedPath(path, r.ms, packed)))
	}
	if b.String()+content(t, path) != string(numbered(0, 100)) {
		t.Error("lines are missing")
	}
	if k := events.kinds(); k != "" {
		t.Errorf("events: %s", k)
	}
}

func TestRotationWhileReaderKeepsFile(t *testing.T) {
	path := logPath(t)
	s, events := testSet(t, realFiles, testTiming)
	p, src := openPipeline(t, s, spec.Log{Path: path, MaxSize: 1000, MaxFiles: 1000})
	src.in <- numbered(0, 10)
	until(t, "written", func() bool { return contentOrNone(path) != "" })
	release := openShared(t, path, windows.FILE_SHARE_READ|windows.FILE_SHARE_WRITE)
	n := 10
	until(t, "trouble told", func() bool { src.in <- numbered(n, 1); n++; return events.kinds() == EventTrouble })
	if got := content(t, path); len(history(t, path)) != 0 || !strings.HasPrefix(string(numbered(0, n)), got) {
		t.Error("lines are missing while the file can't be renamed")
	}
	release()
	until(t, "recovery told", func() bool { src.in <- numbered(n, 1); n++; return events.kinds() == "trouble recovered" })
	src.end()
	p.Drain(time.Minute)
	if everything(t, path) != string(numbered(0, n)) {
		t.Error("lines are missing")
	}
}

func TestBudgetTriesAgainWhatSomebodyHasOpen(t *testing.T) {
	path := logPath(t)
	names := placeRotated(t, path, 0, 3, 1000)
	release := openShared(t, names[0], windows.FILE_SHARE_READ)
	s, _ := testSet(t, realFiles, testTiming)
	p := s.Pipeline("api", spec.Log{Path: path, MaxFiles: 10})
	defer p.Close()
	s.Limit(spec.LogsDir{Dir: filepath.Dir(path), MaxTotal: 1})
	until(t, "the others gone", func() bool { return existing(names) == 1 })
	if !exists(names[0]) {
		t.Error("a file that is held open was deleted")
	}
	release()
	until(t, "all gone", func() bool { return existing(names) == 0 })
}

func TestOpenLogCanBeRenamedAndRemovedByOthers(t *testing.T) {
	path := logPath(t)
	s, _ := testSet(t, realFiles, testTiming)
	p, src := openPipeline(t, s, spec.Log{Path: path})
	src.send("1\n")
	until(t, "written", func() bool { return contentOrNone(path) == "1\n" })
	if err := os.Rename(path, path+".moved"); err != nil {
		t.Error(err)
	}
	until(t, "made anew", func() bool { src.send("2\n"); return contentOrNone(path) != "" })
	if err := os.Remove(path); err != nil {
		t.Error(err)
	}
	if !keepsRemovedNames() {
		until(t, "made anew again", func() bool { src.send("3\n"); return strings.HasPrefix(contentOrNone(path), "3\n") })
	}
	src.end()
	p.Drain(time.Minute)
}

func TestLogIsNotWrittenToADeviceOrLink(t *testing.T) {
	dir := t.TempDir()
	target := filepath.Join(dir, "target")
	put(t, target, "untouched")
	link := filepath.Join(dir, "link.log")
	paths := []string{`\\.\NUL`, dir}
	if err := os.Symlink(target, link); err == nil && !keepsRemovedNames() {
		paths = append(paths, link)
	}
	for _, path := range paths {
		if f, err := openAppend(path); err == nil {
			f.Close()
			t.Errorf("%s was opened", path)
		}
	}
	if got := content(t, target); got != "untouched" {
		t.Errorf("target holds %q", got)
	}
}

// A virus scanner has the file for itself for a moment.
func TestLogThatAnotherProgramHasForItselfLosesNothing(t *testing.T) {
	path := logPath(t)
	put(t, path, "0\n")
	release := openShared(t, path, 0)
	s, events := testSet(t, realFiles, testTiming)
	p, src := openPipeline(t, s, spec.Log{Path: path})
	src.send("1\n")
	src.send("2\n")
	release()
	until(t, "written", func() bool { return contentOrNone(path) == "0\n1\n2\n" })
	src.end()
	p.Drain(time.Minute)
	if k := events.kinds(); k != "" {
		t.Errorf("events: %s", k)
	}
}

func TestLogBehindALongPathIsWrittenAndRotated(t *testing.T) {
	dir := filepath.Dir(logPath(t))
	for range 5 {
		dir = filepath.Join(dir, strings.Repeat("x", 60))
	}
	path := filepath.Join(dir, "api.log")
	s, events := testSet(t, realFiles, testTiming)
	p, src := openPipeline(t, s, spec.Log{Path: path, MaxSize: 1000, MaxFiles: 100, Compress: spec.CompressGzip})
	for n := 0; n < 100; n += 10 {
		src.in <- numbered(n, 10)
	}
	src.end()
	p.Drain(time.Minute)
	until(t, "all but the current compressed", func() bool {
		return !slices.ContainsFunc(history(t, path), func(name string) bool { return !strings.HasSuffix(name, gzipSuffix) })
	})
	if everything(t, path) != string(numbered(0, 100)) || len(history(t, path)) < 4 {
		t.Errorf("lines are missing, or %d rotated files are too few", len(history(t, path)))
	}
	if k := events.kinds(); k != "" {
		t.Errorf("events: %s", k)
	}
}
