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

// TestCompressorIsKilledAnywhere leaves what a host that is killed leaves at each moment, and whatever the next host
// compresses with, there is one whole file in the end.
func TestCompressorIsKilledAnywhere(t *testing.T) {
	text := string(numbered(0, 2000))
	for was := range formPacked.each {
		whole := string(packs(t, text, was))
		for _, now := range []spec.Compression{spec.CompressGzip, spec.CompressZstd, spec.CompressNone} {
			for phase, left := range []map[form]string{
				{formPlain: text},
				{formPlain: text, was.temp(): ""},
				{formPlain: text, was.temp(): whole[:len(whole)/2]},
				{formPlain: text, was.temp(): whole},
				{formPlain: text, was: whole},
				{was: whole},
				{formPlain: text, was: whole[:len(whole)/2]}, // and the machine lost its power
			} {
				t.Run(fmt.Sprintf("%d to %s, phase %d", was, now, phase), func(t *testing.T) {
					path := logPath(t)
					for f, b := range left {
						put(t, rotatedPath(path, 1_700_000_000_000, f), b)
					}
					s, events := testSet(t, realFiles, testTiming)
					p := s.Pipeline("api", spec.Log{Path: path, MaxFiles: 10, Compress: now})
					defer p.Close()
					// A plain file that is to be compressed is for a moment alone, before and after another form of it is.
					pack := len(left[formPlain]) > 0 && (now != spec.CompressNone || left[was] != "")
					until(t, "one whole file", func() bool {
						entries, err := os.ReadDir(filepath.Dir(path))
						return err == nil && len(entries) == 1 && len(history(t, path)) == 1 &&
							(!pack || !exists(rotatedPath(path, 1_700_000_000_000, formPlain)))
					})
					if got := everything(t, path); got != text {
						t.Errorf("%d of %d bytes are left", len(got), len(text))
					}
					if k := events.kinds(); k != "" {
						t.Errorf("events: %s", k)
					}
				})
			}
		}
	}
}

// TestFloodOutrunsTheCompressor: files that are deleted before their turn cost no memory and leave nothing behind.
func TestFloodOutrunsTheCompressor(t *testing.T) {
	path := logPath(t)
	s, events := testSet(t, realFiles, testTiming)
	p, src := openPipeline(t, s, spec.Log{Path: path, MaxSize: 20_000, MaxFiles: 3, Compress: spec.CompressZstd})
	chunk := numbered(0, 300)
	for range 200 {
		src.in <- chunk
	}
	s.mu.Lock()
	queued := len(s.queue)
	s.mu.Unlock()
	p.out.archive.mu.Lock()
	listed := len(p.out.archive.list)
	p.out.archive.mu.Unlock()
	if queued > 1 || listed > 3 {
		t.Errorf("%d logs in line, %d files known", queued, listed)
	}
	src.end()
	p.Drain(time.Minute)
	until(t, "what is kept compressed", func() bool {
		entries, err := os.ReadDir(filepath.Dir(path))
		plain := 0
		for _, name := range history(t, path) {
			if !strings.HasSuffix(name, zstdSuffix) {
				plain++
			}
		}
		return err == nil && plain == 0 && len(entries) <= 2*4 // with indexes
	})
	if k := events.kinds(); k != "" {
		t.Errorf("events: %s", k)
	}
}
