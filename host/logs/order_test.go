package logs

import (
	"slices"
	"strconv"
	"testing"
	"time"

	"servicehost/spec"
)

// TestReadKeepsOrderHoweverFastALogIsRotated reads histories while a log is rotated some thousand times a second.
func TestReadKeepsOrderHoweverFastALogIsRotated(t *testing.T) {
	for name, c := range map[string]struct {
		files int
		pack  spec.Compression
		last  int
		gaps  bool // files are deleted while they are read
	}{
		"all kept":   {files: 100_000, pack: spec.CompressNone, last: 3000},
		"pruned":     {files: 20, pack: spec.CompressNone, last: -1, gaps: true},
		"compressed": {files: 50, pack: spec.CompressGzip, last: -1, gaps: true},
		"packed":     {files: 100_000, pack: spec.CompressZstd, last: 3000},
	} {
		t.Run(name, func(t *testing.T) {
			path := logPath(t)
			s, _ := testSet(t, realFiles, testTiming)
			p, src := openPipeline(t, s, spec.Log{Path: path, MaxSize: 1000, MaxFiles: c.files, Compress: c.pack})
			stop, done := make(chan struct{}), make(chan struct{})
			go func() {
				defer close(done)
				for n := 0; ; n += 10 {
					select {
					case <-stop:
						src.end()
						return
					case src.in <- numbered(n, 10):
					}
				}
			}()
			reads, lines := 0, 0
			written := func() int64 { return p.Stats().BytesWritten / 1000 }
			for end := time.Now().Add(time.Second / 2); time.Now().Before(end) || reads < 5 || written() < 50; reads++ {
				got := readAll(t, []File{{Path: path}}, Query{Last: c.last, Flush: s.FlushIndexes})
				before := -1
				for i, line := range got {
					n, err := strconv.Atoi(line[:min(8, len(line))])
					if i == len(got)-1 && len(line) < 52 {
						break // of a write that went on meanwhile
					}
					if err != nil || n <= before || !c.gaps && before >= 0 && n != before+1 {
						t.Fatalf("line %d of %d is %q behind %d", i, len(got), line, before)
					}
					before = n
				}
				lines += len(got)
			}
			close(stop)
			<-done
			p.Drain(time.Minute)
			if lines == 0 {
				t.Error("nothing was read")
			}
			t.Logf("%d reads, %d rotations", reads, written())
		})
	}
}

// TestReadSeesAllOfALogBetweenTwoFiles: twice there is no current file, as between a renaming and the next file, and
// meanwhile the folder was read by halves.
func TestReadSeesAllOfALogBetweenTwoFiles(t *testing.T) {
	path := logPath(t)
	var want, half []rotated
	for ms := range int64(4) {
		put(t, rotatedPath(path, 1000+ms, formPlain), "a line\n")
		want = append(want, rotated{ms: 1000 + ms, form: formPlain})
		if ms != 2 {
			half = append(half, want[ms])
		}
	}
	f := &follower{File: File{ID: "api", Path: path}}
	defer f.close()
	if err := f.open(); err != nil {
		t.Fatal(err)
	}
	for _, list := range [][]rotated{half, want, want[:1]} {
		if got, err := f.settle(list); err != nil || !slices.Equal(got, want) {
			t.Errorf("%v of %v, %v", got, want, err)
		}
	}
}
