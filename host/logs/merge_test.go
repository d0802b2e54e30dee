package logs

import (
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"servicehost/spec"
)

var epoch = time.UnixMilli(1_700_000_000_000)

func after0(sec float64) time.Time { return epoch.Add(time.Duration(sec * float64(time.Second))) }

// logOf is a raw log whose lines were written at these seconds; each says when. An R before the second rotates.
func logOf(t *testing.T, set *Set, dir, id string, cfg spec.Log, words string) File {
	t.Helper()
	cfg.Path = filepath.Join(dir, id+".log")
	cfg.MaxFiles = 100
	p := set.Pipeline(id, cfg)
	defer p.Close()
	for word := range strings.FieldsSeq(words) {
		num, rotate := strings.CutPrefix(word, "R")
		var sec float64
		if _, err := fmt.Sscan(num, &sec); err != nil {
			t.Fatal(err)
		}
		at := after0(sec)
		if rotate {
			p.out.lock()
			if err := p.out.rotate(at); err != nil {
				t.Error(err)
			}
			p.out.unlock()
			continue
		}
		line := id + num + "\n"
		if l := newLayout(cfg.Format, id, streamOut, true); l != nil {
			line = string(l.append(nil, at, []byte(id+num)))
		}
		writeAt(p, at, line)
	}
	return File{ID: id, Stream: "stdout", Path: cfg.Path, Format: cfg.Format}
}

func TestReadMergesByTime(t *testing.T) {
	dir := t.TempDir()
	set, _ := testSet(t, realFiles, testTiming)
	files := []File{
		logOf(t, set, dir, "a", spec.Log{Compress: spec.CompressGzip}, "0 3 R4 5 5.4 R10 20 30"),
		logOf(t, set, dir, "b", spec.Log{Format: spec.FormatJSON}, "1 2.5 R3.5 4.5 21"),
		logOf(t, set, dir, "c", spec.Log{Format: spec.FormatText, Compress: spec.CompressZstd}, "-1 2 R8 9 29.5"),
		{ID: "d", Path: filepath.Join(dir, "none.log")},
	}
	for _, c := range []struct {
		q    Query
		want string
	}{
		{Query{Last: -1}, "c-1 a0 b1 c2 b2.5 a3 b4.5 a5 a5.4 c9 a20 b21 c29.5 a30"},
		{Query{Last: 2}, "b4.5 c9 a20 b21 c29.5 a30"},
		{Query{Last: 3}, "c2 b2.5 b4.5 a5.4 c9 a20 b21 c29.5 a30"},
		{Query{Last: -1, Since: after0(2.5)}, "b2.5 a3 b4.5 a5 a5.4 c9 a20 b21 c29.5 a30"},
		{Query{Last: -1, Since: after0(20.5)}, "b21 c29.5 a30"},
		{Query{Last: -1, Since: after0(5), Until: after0(21)}, "a5 a5.4 c9 a20 b21"},
		{Query{Last: -1, Until: after0(4)}, "c-1 a0 b1 c2 b2.5 a3"},
		{Query{Last: 1, Until: after0(4)}, "c2 b2.5 a3"},
		{Query{Last: 0, Since: after0(0)}, ""},
		{Query{Last: 100, Since: after0(31)}, ""},
		{Query{Last: -1, Grep: regexp.MustCompile(`^(a|c)\d$`)}, "a0 c2 a3 a5 c9"},
		{Query{Last: 1, Grep: regexp.MustCompile(`^(a|c)\d$`)}, "a5 c9"},
		{Query{Last: -1, Stream: "stderr"}, ""},
	} {
		if got := strings.Join(readAll(t, files, c.q), " "); got != c.want {
			t.Errorf("%+v\n got %s\nwant %s", c.q, got, c.want)
		}
	}
}

func TestReadTellsTimes(t *testing.T) {
	dir := t.TempDir()
	set, _ := testSet(t, realFiles, testTiming)
	files := []File{
		logOf(t, set, dir, "a", spec.Log{}, "0 0.5 3.25"),
		logOf(t, set, dir, "b", spec.Log{Format: spec.FormatJSON}, "0.25"),
	}
	put(t, filepath.Join(dir, "old.log"), "no index\n")
	files = append(files, File{ID: "old", Path: filepath.Join(dir, "old.log")})
	var got []string
	err := Read(t.Context(), files, Query{Last: -1}, func(l Line) error {
		if l.Time.IsZero() {
			got = append(got, l.Text)
		} else {
			got = append(got, fmt.Sprint(l.Text, "@", l.Time.Sub(epoch).Seconds()))
		}
		return nil
	})
	if want := "no index a0@0 a0.5@0 b0.25@0.25 a3.25@3.25"; err != nil || strings.Join(got, " ") != want {
		t.Errorf("%v, want %s; %v", got, want, err)
	}
}

func TestReadOfAServiceThatIsSilentShowsNothingOld(t *testing.T) {
	dir := t.TempDir()
	set, _ := testSet(t, realFiles, defaultTiming)
	var files []File
	for _, f := range []spec.LogFormat{spec.FormatRaw, spec.FormatJSON} {
		file := File{ID: "s" + string(f), Path: filepath.Join(dir, "s"+string(f)+".log"), Format: f}
		p := set.Pipeline(file.ID, spec.Log{Path: file.Path, Format: f})
		defer p.Close()
		line := []byte("old\n")
		if l := newLayout(f, file.ID, streamOut, false); l != nil {
			line = l.append(nil, epoch, []byte("old"))
		}
		writeAt(p, epoch, string(line))
		files = append(files, file)
	}
	put(t, filepath.Join(dir, "former.log"), "of a host without indexes\n")
	if err := os.Chtimes(filepath.Join(dir, "former.log"), epoch, epoch); err != nil {
		t.Fatal(err)
	}
	files = append(files, File{ID: "former", Path: filepath.Join(dir, "former.log")})
	if got := readAll(t, files, Query{Last: -1, Since: after0(60), Flush: set.FlushIndexes}); len(got) != 0 {
		t.Errorf("%q", got)
	}
	if got := readAll(t, files, Query{Last: -1, Since: after0(-60), Flush: set.FlushIndexes}); len(got) != 3 {
		t.Errorf("%q", got)
	}
}

func TestReadShowsRecordsOrTheFile(t *testing.T) {
	path := logPath(t)
	var b []byte
	out := newLayout(spec.FormatJSON, "api.2", streamErr, true)
	b = out.append(b, epoch, []byte("one \"quoted\"\n  two\x1b"))
	b = append(b, `{"time":"2023-11-14T22:13:20.000Z","level":"info"}`+"\n"...)
	b = append(b, `{"time":"2023-11-14T22:13:20.000Z","service":"x","instance":1,"stream":"stdout","line":"broken \q"}`+"\n"...)
	b = newLayout(spec.FormatText, "api.2", streamHost, true).append(b, epoch, []byte("a\nb"))
	put(t, path, string(b))
	files := []File{{ID: "api.2", Stream: "stdout", Path: path, Format: spec.FormatJSON}}
	lines := strings.Split(strings.TrimSuffix(string(b), "\n"), "\n")
	if got := readAll(t, files, Query{Last: -1, Raw: true}); !slices.Equal(got, lines) {
		t.Errorf("raw: %q", got)
	}
	want := []string{"one \"quoted\"\n  two\x1b", lines[1], lines[2], "a", "b"}
	if got := readAll(t, files, Query{Last: -1}); !slices.Equal(got, want) {
		t.Errorf("records: %q", got)
	}
	if got := readAll(t, files, Query{Last: 5, Stream: "stderr"}); !slices.Equal(got, want[:1]) {
		t.Errorf("stderr: %q", got)
	}
	if got := readAll(t, files, Query{Last: 1, Stream: "host", Grep: regexp.MustCompile("^.$")}); !slices.Equal(got, want[4:]) {
		t.Errorf("host: %q", got)
	}
}

func TestReadTakesLastLinesOfBothStreams(t *testing.T) {
	dir := t.TempDir()
	set, _ := testSet(t, realFiles, testTiming)
	a := logOf(t, set, dir, "a", spec.Log{}, "0 2 4 6 8")
	b := logOf(t, set, dir, "b", spec.Log{}, "1 3 15 17 19")
	a.ID, b.ID, b.Stream = "x", "x", "stderr"
	for n, want := range map[int]string{3: "b15 b17 b19", 7: "b3 a4 a6 a8 b15 b17 b19", 20: "a0 b1 a2 b3 a4 a6 a8 b15 b17 b19"} {
		if got := strings.Join(readAll(t, []File{a, b}, Query{Last: n}), " "); got != want {
			t.Errorf("last %d: %s, want %s", n, got, want)
		}
	}
}

// countingFile says how much of it is read.
type countingFile struct {
	io.ReaderAt
	read atomic.Int64
}

func (c *countingFile) ReadAt(p []byte, off int64) (int, error) {
	n, err := c.ReaderAt.ReadAt(p, off)
	c.read.Add(int64(n))
	return n, err
}

// recordsFile is a log of any size with a record of 128 bytes each second.
type recordsFile struct{ size int64 }

const recordSize = 128

func (f recordsFile) ReadAt(p []byte, off int64) (n int, err error) {
	l := newLayout(spec.FormatJSON, "api", streamOut, true)
	bare := len(l.append(nil, epoch, nil))
	for n < len(p) && off < f.size {
		i := off / recordSize
		line := l.append(nil, epoch.Add(time.Duration(i)*time.Second), []byte(fmt.Sprintf("%0*d", recordSize-bare, i)))
		k := copy(p[n:], line[off%recordSize:])
		n, off = n+k, off+int64(k)
	}
	if n < len(p) {
		err = io.EOF
	}
	return n, err
}

func TestSeekReadsLittle(t *testing.T) {
	const size = 10 << 30 / recordSize * recordSize
	for _, at := range []int64{0, 1, 12345, size / recordSize / 2, size/recordSize - 2} {
		f := &countingFile{ReaderAt: recordsFile{size}}
		low, high := seekTime(f, 0, size, after0(float64(at)).UnixMilli())
		if low > at*recordSize || high <= at*recordSize || high-low > 5*probeSize && high != size {
			t.Errorf("second %d lies at %d, found between %d and %d", at, at*recordSize, low, high)
		}
		if n := f.read.Load(); n > 3<<20 {
			t.Errorf("%d bytes were read of 10 GiB", n)
		}
	}
	f := &countingFile{ReaderAt: recordsFile{size}}
	start, n, err := lastLines(f, 0, size, 100, func([]byte, int64) bool { return true })
	if start != size-100*recordSize || n != 100 || err != nil || f.read.Load() > 128<<10 {
		t.Errorf("the last 100 begin at %d, %d read, %v", start, f.read.Load(), err)
	}
}

// readBytes is how much this process has read so far, of files of any kind.
func readBytes(t *testing.T) (n int64) {
	t.Helper()
	b, err := os.ReadFile("/proc/self/io")
	if err != nil {
		t.Skip("no /proc/self/io: ", err)
	}
	if _, err := fmt.Sscanf(string(b), "rchar: %d", &n); err != nil {
		t.Skip(err)
	}
	return n
}

func TestReadOfAHugeLogSeeks(t *testing.T) {
	path := logPath(t)
	set, _ := testSet(t, realFiles, testTiming)
	p := set.Pipeline("api", spec.Log{Path: path})
	writeAt(p, epoch, "first\n")
	p.Close()
	const hole = 2 << 30
	if err := os.Truncate(path, hole); err != nil {
		t.Skip("no sparse files: ", err)
	}
	p = set.Pipeline("api", spec.Log{Path: path})
	writeAt(p, after0(3600), "\n")
	for n := range 5000 {
		writeAt(p, after0(3600+float64(n)), fmt.Sprintf("line %d\n", n))
		if n%50 == 0 {
			set.FlushIndexes()
		}
	}
	p.Close()
	files := []File{{ID: "api", Path: path}}
	for _, c := range []struct {
		q    Query
		want int
		last string
	}{
		{Query{Last: 100}, 100, "line 4999"},
		{Query{Last: -1, Since: after0(3600 + 4000)}, 1000, "line 4999"},
		{Query{Last: -1, Since: after0(3600 + 4000), Until: after0(3600 + 4009)}, 10, "line 4009"},
		{Query{Last: 5, Until: after0(3600 + 1000)}, 5, "line 1000"},
	} {
		before := readBytes(t)
		got := readAll(t, files, c.q)
		if n := readBytes(t) - before; n > 4<<20 {
			t.Errorf("%+v: %d bytes were read", c.q, n)
		}
		if len(got) != c.want || got[len(got)-1] != c.last {
			t.Errorf("%+v: %d lines, the last %.40q", c.q, len(got), got[max(0, len(got)-1):])
		}
	}
}

func TestReadSurvivesAnyIndex(t *testing.T) {
	path := logPath(t)
	text := string(numbered(0, 1000))
	put(t, path, text)
	good := []byte(indexHead)
	for i := range int64(50) {
		good = mark{at: epoch.UnixMilli() + i*1000, off: i * 1040, ended: epoch.UnixMilli() + i*1000 - 500}.put(good, epoch.UnixMilli()+(i-1)*1000)
	}
	files := []File{{ID: "api", Path: path}}
	rnd := rand.New(rand.NewPCG(1, 2))
	for i := range 200 {
		bad := slices.Clone(good)
		switch {
		case i%5 == 0:
			bad = bad[:rnd.IntN(len(bad))]
		default:
			for range 1 + rnd.IntN(5) {
				bad[rnd.IntN(len(bad))] = byte(rnd.Uint32())
			}
		}
		put(t, indexPath(path), string(bad))
		if got := readAll(t, files, Query{Last: -1}); !slices.Equal(got, span(0, 1000)) {
			t.Fatalf("%d lines with the index %q", len(got), bad)
		}
		got := readAll(t, files, Query{Last: 100, Since: after0(float64(rnd.IntN(60)))})
		if len(got) > 0 && !slices.Equal(got, span(1000-len(got), 1000)) {
			t.Fatalf("since: %d lines with the index %q", len(got), bad)
		}
	}
	if got := readAll(t, files, Query{Last: -1}); len(got) != 1000 {
		t.Error(len(got))
	}
}

func TestReadGoesOnBehindADamagedFile(t *testing.T) {
	path := logPath(t)
	put(t, rotatedPath(path, 1_700_000_000_000, formGzip), packed(t, string(numbered(0, 100)))[:100])
	put(t, rotatedPath(path, 1_700_000_000_001, formZstd), "no such thing")
	put(t, path, string(numbered(100, 100)))
	var got []string
	err := Read(t.Context(), []File{{ID: "api", Path: path}}, Query{Last: -1}, func(l Line) error { got = append(got, l.Text); return nil })
	if err == nil || !strings.Contains(err.Error(), `of "api"`) || len(got) < 100 || got[len(got)-1] != span(199, 200)[0] {
		t.Errorf("%d lines, %v", len(got), err)
	}
}

func TestReadOfManyLogsIsMerged(t *testing.T) {
	dir := t.TempDir()
	var files []File
	for i := range 300 {
		path := filepath.Join(dir, fmt.Sprintf("s%03d.log", i))
		index := []byte(indexHead)
		for n := range int64(3) {
			index = mark{at: epoch.UnixMilli() + n*1000 + int64(i), off: n * 6}.put(index, 0)
		}
		put(t, path, fmt.Sprintf("%05d\n%05d\n%05d\n", i, 1000+i, 2000+i))
		put(t, indexPath(path), string(index))
		files = append(files, File{ID: fmt.Sprint(i), Path: path})
	}
	got := readAll(t, files, Query{Last: -1})
	if len(got) != 900 || !slices.IsSorted(got) {
		t.Errorf("%d lines, sorted %v", len(got), slices.IsSorted(got))
	}
}

func TestFollowEndsAtUntil(t *testing.T) {
	path := logPath(t)
	put(t, path, "before\n")
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	var got []string
	err := Read(ctx, []File{{ID: "api", Path: path}}, Query{Last: -1, Follow: true, Until: time.Now().Add(100 * time.Millisecond)}, func(l Line) error {
		got = append(got, l.Text)
		return nil
	})
	if err != nil || ctx.Err() != nil || len(got) != 1 {
		t.Errorf("%q %v", got, err)
	}
}
