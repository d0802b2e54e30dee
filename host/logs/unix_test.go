//go:build unix

package logs

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"servicehost/spec"
)

func TestLogIsNotWrittenThroughALink(t *testing.T) {
	for name, make := range map[string]func(target, path string) error{
		"link":          os.Symlink,
		"dangling link": func(_, path string) error { return os.Symlink(filepath.Join(filepath.Dir(path), "nothing"), path) },
		"fifo":          func(_, path string) error { return unix.Mkfifo(path, 0o600) },
		"folder":        func(_, path string) error { return os.Mkdir(path, 0o700) },
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			path, target := filepath.Join(dir, "api.log"), filepath.Join(dir, "target")
			put(t, target, "untouched")
			if err := make(target, path); err != nil {
				t.Fatal(err)
			}
			s, events := testSet(t, realFiles, testTiming)
			p, src := openPipeline(t, s, spec.Log{Path: path})
			src.send("1\n")
			until(t, "trouble told", func() bool { return events.kinds() == EventTrouble })
			if got := content(t, target); got != "untouched" || exists(filepath.Join(dir, "nothing")) {
				t.Fatalf("written through: %q", got)
			}
			if err := os.Remove(path); err != nil {
				t.Fatal(err)
			}
			until(t, "recovered", func() bool { src.send("2\n"); return strings.HasSuffix(contentOrNone(path), "2\n") })
			src.end()
			p.Drain(time.Minute)
		})
	}
}

func TestRotatedLinkIsNeverFollowedNorDeleted(t *testing.T) {
	path := logPath(t)
	target := filepath.Join(t.TempDir(), "target")
	put(t, target, "untouched")
	link := rotatedPath(path, 1_700_000_000_000, formPlain)
	if err := os.Symlink(target, link); err != nil {
		t.Fatal(err)
	}
	s, _ := testSet(t, realFiles, testTiming)
	p, src := openPipeline(t, s, spec.Log{Path: path, MaxSize: 4, MaxFiles: 1, Compress: spec.CompressGzip})
	for range 4 {
		src.send("123\n")
	}
	src.end()
	p.Drain(time.Minute)
	until(t, "the rotated one compressed", func() bool { n := history(t, path); return strings.HasSuffix(n[len(n)-1], gzipSuffix) })
	if got := content(t, target); got != "untouched" || !exists(link) {
		t.Errorf("target holds %q, link there: %v", got, exists(link))
	}
}

func TestLogFilesAreNotForAll(t *testing.T) {
	old := unix.Umask(0)
	defer unix.Umask(old)
	path := filepath.Join(t.TempDir(), "logs", "api.log")
	s, _ := testSet(t, realFiles, testTiming)
	p, src := openPipeline(t, s, gzipLog(path, 4))
	src.send("123\n456\n")
	src.end()
	p.Drain(time.Minute)
	until(t, "compressed", func() bool { n := history(t, path); return len(n) == 1 && strings.HasSuffix(n[0], gzipSuffix) })
	for name, mode := range map[string]os.FileMode{path: 0o640, history(t, path)[0]: 0o640, filepath.Dir(path): 0o750} {
		if info, err := os.Stat(name); err != nil || info.Mode().Perm() != mode {
			t.Errorf("%s: %v, %v", name, info.Mode(), err)
		}
	}
}

func keepsRemovedNames() bool { return false }

func TestWriterFollowsRemovedFileAndFolder(t *testing.T) {
	path := filepath.Join(t.TempDir(), "logs", "api.log")
	s, _ := testSet(t, realFiles, testTiming)
	p, src := openPipeline(t, s, spec.Log{Path: path, MaxFiles: 3})
	src.send("1\n")
	until(t, "1 written", func() bool { return contentOrNone(path) == "1\n" })
	if err := os.RemoveAll(filepath.Dir(path)); err != nil {
		t.Fatal(err)
	}
	until(t, "the file made anew", func() bool { src.send("2\n"); return strings.HasPrefix(contentOrNone(path), "2\n") })
	src.end()
	p.Drain(time.Minute)
}
