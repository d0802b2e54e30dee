package logs

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"servicehost/spec"
)

func gzipLog(path string, size int64) spec.Log {
	return spec.Log{Path: path, MaxSize: size, MaxFiles: 1000, Compress: spec.CompressGzip}
}

func TestRotatedFilesAreCompressed(t *testing.T) {
	path := logPath(t)
	s, events := testSet(t, realFiles, testTiming)
	p, src := openPipeline(t, s, gzipLog(path, 1000))
	src.in <- numbered(0, 100)
	src.end()
	p.Drain(time.Minute)
	until(t, "all rotated files compressed", func() bool {
		names := history(t, path)
		for _, name := range names {
			if !strings.HasSuffix(name, gzipSuffix) {
				return false
			}
		}
		return len(names) == 5
	})
	if got := everything(t, path); got != string(numbered(0, 100)) {
		t.Error("lines are missing")
	}
	if k := events.kinds(); k != "" {
		t.Errorf("events: %s", k)
	}
	info, err := os.Stat(history(t, path)[0])
	if err != nil || time.Since(info.ModTime()) > time.Minute {
		t.Errorf("%v, %v", info, err)
	}
}

func TestLeftoversOfAKilledHostAreFinished(t *testing.T) {
	path := logPath(t)
	at := func(ms int64, f form) string { return rotatedPath(path, 1_700_000_000_000+ms, f) }
	put(t, at(1, formPlain), "one\n") // killed while compressing
	put(t, at(1, formGzipTemp), "\x1f\x8bhalf")
	put(t, at(2, formPlain), "two\n") // killed before deleting the plain one
	if err := compressFile(at(2, formPlain), at(2, formGzipTemp), formGzip, func() bool { return false }); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(at(2, formGzipTemp), at(2, formGzip)); err != nil {
		t.Fatal(err)
	}
	put(t, at(3, formPlain), "three\n") // a torn write
	put(t, at(3, formGzip), "\x1f\x8btorn")
	put(t, at(4, formGzipTemp), "nothing of it is left")
	put(t, at(5, formPlain), "five\n") // never begun
	stranger := filepath.Join(filepath.Dir(path), "api-x.log.gz.tmp")
	put(t, stranger, "not ours")
	s, _ := testSet(t, realFiles, testTiming)
	p := s.Pipeline("api", gzipLog(path, 1000))
	defer p.Close()
	until(t, "all compressed", func() bool {
		for _, ms := range []int64{1, 2, 3, 5} {
			if exists(at(ms, formPlain)) || !exists(at(ms, formGzip)) {
				return false
			}
		}
		return !exists(at(1, formGzipTemp)) && !exists(at(4, formGzipTemp))
	})
	if got := everything(t, path); got != "one\ntwo\nthree\nfive\n" {
		t.Errorf("files hold %q", got)
	}
	if !exists(stranger) {
		t.Error("a stranger's file was deleted")
	}
}

func TestCompressionIsStoppedByClose(t *testing.T) {
	path := logPath(t)
	plain := rotatedPath(path, 1_700_000_000_000, formPlain)
	put(t, plain, strings.Repeat("x", 4<<20))
	if err := compressFile(plain, plain+".gz.tmp", formGzip, func() bool { return true }); err != errAborted {
		t.Fatalf("aborted compression: %v", err)
	}
	if exists(plain + ".gz.tmp") {
		t.Error("half a file was left")
	}
	s := newSet(Options{}, realFiles, testTiming)
	p := s.Pipeline("api", gzipLog(path, 1000))
	s.Close()
	p.Close()
	if !exists(plain) {
		t.Error("a file is gone")
	}
}

func TestCompressionOffLeavesFilesPlain(t *testing.T) {
	path := logPath(t)
	s, _ := testSet(t, realFiles, testTiming)
	cfg := gzipLog(path, 1000)
	cfg.Compress = spec.CompressNone
	p, src := openPipeline(t, s, cfg)
	src.in <- numbered(0, 50)
	src.end()
	p.Drain(time.Minute)
	names := history(t, path)
	if len(names) != 2 || strings.HasSuffix(names[0], gzipSuffix) {
		t.Fatalf("history: %q", names)
	}
	p.Apply("api", gzipLog(path, 1000))
	until(t, "compressed once that is on", func() bool { return !exists(names[0]) && !exists(names[1]) })
	if got := everything(t, path); got != string(numbered(0, 50)) {
		t.Error("lines are missing")
	}
}
