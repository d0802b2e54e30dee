package logs

import (
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"servicehost/spec"
)

func packed(t *testing.T, text string) string {
	t.Helper()
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	if _, err := z.Write([]byte(text)); err != nil {
		t.Fatal(err)
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func readAll(t *testing.T, files []File, q Query) []string {
	t.Helper()
	var got []string
	if err := Read(t.Context(), files, q, func(l Line) error { got = append(got, l.Text); return nil }); err != nil {
		t.Fatal(err)
	}
	return got
}

// span is the texts of numbered lines.
func span(from, to int) []string {
	if from >= to {
		return nil
	}
	return strings.Split(strings.TrimSuffix(string(numbered(from, to-from)), "\n"), "\n")
}

func TestReadTakesLastLinesFromAllFiles(t *testing.T) {
	path := logPath(t)
	put(t, rotatedPath(path, 1_700_000_000_000, formGzip), packed(t, string(numbered(0, 100))))
	put(t, rotatedPath(path, 1_700_000_000_001, formPlain), string(numbered(100, 5000)))
	put(t, rotatedPath(path, 1_700_000_000_002, formGzip), packed(t, string(numbered(5100, 10))))
	put(t, rotatedPath(path, 1_700_000_000_003, formGzipTemp), "not to be read")
	put(t, path, string(numbered(5110, 3000)))
	files := []File{{ID: "api", Stream: "stdout", Path: path}}
	const all = 8110
	for _, n := range []int{0, 1, 2, 2999, 3000, 3001, 3010, 3011, 8009, 8010, 8011, 8109, 8110, 9999, -1} {
		want := span(max(0, all-n), all)
		if n < 0 {
			want = span(0, all)
		}
		if got := readAll(t, files, Query{Last: n}); !slices.Equal(got, want) {
			t.Errorf("last %d: %d lines, the first %q", n, len(got), got[:min(1, len(got))])
		}
	}
	grep := regexp.MustCompile(`^0000\d*50 `)
	for _, n := range []int{1, 29, 31, 60, 81, 99, -1} {
		var want []string
		for _, line := range span(0, all) {
			if grep.MatchString(line) {
				want = append(want, line)
			}
		}
		if n >= 0 {
			want = want[max(0, len(want)-n):]
		}
		if got := readAll(t, files, Query{Last: n, Grep: grep}); !slices.Equal(got, want) {
			t.Errorf("last %d that match: %d lines, want %d", n, len(got), len(want))
		}
	}
}

func TestReadHandlesOddFiles(t *testing.T) {
	dir := t.TempDir()
	file := func(name, text string) File {
		put(t, filepath.Join(dir, name), text)
		return File{ID: name, Stream: "stderr", Path: filepath.Join(dir, name)}
	}
	long := strings.Repeat("y", 200_000)
	for _, c := range []struct {
		file File
		last int
		want []string
	}{
		{File{ID: "none", Path: filepath.Join(dir, "no", "none.log")}, 5, nil},
		{file("empty.log", ""), 5, nil},
		{file("half.log", "a\r\nb\nhalf"), 2, []string{"b", "half"}},
		{file("half2.log", "a\r\nb\nhalf"), -1, []string{"a", "b", "half"}},
		{file("blank.log", "\n\n\nx\n"), 3, []string{"", "", "x"}},
		{file("long.log", "a\n"+long+"\nb\n"), 2, []string{long, "b"}},
		{file("binary.log", "\x00\xff\n"), 1, []string{"\x00\xff"}},
	} {
		if got := readAll(t, []File{c.file}, Query{Last: c.last}); !slices.Equal(got, c.want) {
			t.Errorf("%s: %.40q", c.file.ID, got)
		}
	}
	huge := file("huge.log", strings.Repeat("z", 3*maxLine)+"\nend\n")
	got := readAll(t, []File{huge}, Query{Last: -1})
	if n := len(strings.Join(got, "")); n != 3*maxLine+3 || got[len(got)-1] != "end" {
		t.Errorf("a line of 3 MiB comes as %d bytes in %d lines", n, len(got))
	}
	if got := readAll(t, []File{huge}, Query{Last: 1}); !slices.Equal(got, []string{"end"}) {
		t.Errorf("last line behind a huge one: %.40q", got)
	}
}

func TestReadIsEndedBySendAndContext(t *testing.T) {
	path := logPath(t)
	put(t, path, string(numbered(0, 100)))
	files := []File{{Path: path}}
	enough := errors.New("enough")
	if err := Read(t.Context(), files, Query{Last: -1}, func(Line) error { return enough }); !errors.Is(err, enough) {
		t.Errorf("error of send: %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := Read(ctx, files, Query{Last: -1}, func(Line) error { return nil }); !errors.Is(err, context.Canceled) {
		t.Errorf("canceled: %v", err)
	}
	if err := Read(ctx, files, Query{Last: -1, Follow: true}, func(Line) error { return nil }); err != nil {
		t.Errorf("following, canceled: %v", err)
	}
}

// following collects what Read with Follow sends.
type following struct {
	mu    sync.Mutex
	lines []string
	stop  func()
}

func follow(t *testing.T, files []File, q Query) *following {
	t.Helper()
	f := &following{}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error)
	go func() {
		q.Follow = true
		done <- Read(ctx, files, q, func(l Line) error {
			f.mu.Lock()
			defer f.mu.Unlock()
			f.lines = append(f.lines, l.Text)
			return nil
		})
	}()
	f.stop = sync.OnceFunc(func() {
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
	t.Cleanup(f.stop)
	return f
}

func (f *following) text() string {
	f.mu.Lock()
	defer f.mu.Unlock()
	return strings.Join(f.lines, "|")
}

func appendTo(t *testing.T, path, text string) {
	t.Helper()
	f, err := openLog(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if _, err := f.Write([]byte(text)); err != nil {
		t.Fatal(err)
	}
}

func TestFollowOverEverythingThatHappensToAFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "logs", "api.log")
	f := follow(t, []File{{Path: path}}, Query{Last: 10})
	step := func(what, want string) {
		t.Helper()
		until(t, what+": "+want, func() bool { return f.text() == want })
	}
	appendTo(t, path, "1\n2\nha")
	step("file made later", "1|2")
	appendTo(t, path, "lf\n")
	step("line ended later", "1|2|half")
	if err := os.Rename(path, rotatedPath(path, 1_700_000_000_000, formPlain)); err != nil {
		t.Fatal(err)
	}
	appendTo(t, path, "4\n")
	step("rotated", "1|2|half|4")
	if err := os.Truncate(path, 0); err != nil {
		t.Fatal(err)
	}
	appendTo(t, path, "5\n")
	// What was there before is as long: only the writer's next lines tell that the file was cut.
	if f.text() == "1|2|half|4" {
		if err := os.Truncate(path, 0); err != nil {
			t.Fatal(err)
		}
	}
	until(t, "the cut seen", func() bool { appendTo(t, path, "6\n"); return strings.HasSuffix(f.text(), "6") })
	if err := os.Rename(path, path+".1"); err != nil {
		t.Fatal(err)
	}
	appendTo(t, path+".1", "late\n")
	appendTo(t, path, "7\n")
	until(t, "moved away", func() bool { return strings.HasSuffix(f.text(), "|6|late|7") })
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	appendTo(t, path, "8\n")
	until(t, "removed and made anew", func() bool { return strings.HasSuffix(f.text(), "|7|8") })
}

func TestFollowMergesServices(t *testing.T) {
	dir := t.TempDir()
	var files []File
	for i := range 100 {
		files = append(files, File{ID: fmt.Sprint("s", i), Stream: "stdout", Path: filepath.Join(dir, fmt.Sprintf("s%d.log", i))})
		put(t, files[i].Path, fmt.Sprintf("old %d\nlast %d\n", i, i))
	}
	f := follow(t, files, Query{Last: 1, Grep: regexp.MustCompile("last|x")})
	until(t, "history of all", func() bool { return strings.Count(f.text(), "last") == 100 })
	for i := range 100 {
		appendTo(t, files[i].Path, "xyz\nno\n")
	}
	until(t, "new lines of all", func() bool { return strings.Count(f.text(), "xyz") == 100 })
	if got := f.text(); strings.Contains(got, "no") || strings.Contains(got, "old") {
		t.Errorf("lines that don't match: %q", got)
	}
}

// TestEveryLineIsKept is the whole way: twenty services, rotation, compression, and a reader who follows.
func TestEveryLineIsKept(t *testing.T) {
	const services, lines = 20, 45_000
	dir := t.TempDir()
	s, events := testSet(t, realFiles, testTiming)
	var files []File
	var mu sync.Mutex
	next := make(map[string]int)
	for i := range services {
		id := fmt.Sprint("s", i)
		files = append(files, File{ID: id, Path: filepath.Join(dir, id+".log")})
	}
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	read := make(chan error, 1)
	go func() {
		read <- Read(ctx, files, Query{Last: -1, Follow: true}, func(l Line) error {
			mu.Lock()
			defer mu.Unlock()
			if n, err := strconv.Atoi(l.Text[:min(8, len(l.Text))]); err != nil || n != next[l.ID] || len(l.Text) != 52 {
				return fmt.Errorf("%s: %q where %d is next", l.ID, l.Text, next[l.ID])
			}
			next[l.ID]++
			return nil
		})
	}()
	var wg sync.WaitGroup
	for i := range services {
		cfg := gzipLog(files[i].Path, 1<<20)
		p, src := openPipeline(t, s, cfg)
		wg.Go(func() {
			text := numbered(0, lines)
			for at, n := 0, 0; at < len(text); n++ {
				end := min(len(text), at+1+(n*7919+i*104729)%65536)
				src.in <- text[at:end]
				at = end
				if n%20 == 10 {
					cfg.MaxSize = 1<<20 + int64(n)
					p.Apply(files[i].ID, cfg)
				}
			}
			src.end()
			p.Drain(time.Minute)
		})
	}
	wg.Wait()
	total := func() (n int) {
		mu.Lock()
		defer mu.Unlock()
		for _, f := range files {
			n += next[f.ID]
		}
		return n
	}
	for n := -1; n < services*lines && len(read) == 0; {
		// A slow machine may take its time, as long as lines come.
		before := n
		until(t, fmt.Sprintf("more than %d of %d lines read", n, services*lines), func() bool { n = total(); return n > before || len(read) > 0 })
	}
	cancel()
	if err := <-read; err != nil {
		t.Error(err)
	}
	want := string(numbered(0, lines))
	until(t, "all compressed", func() bool {
		plain, err := filepath.Glob(filepath.Join(dir, "*Z.log"))
		return err == nil && len(plain) == 0
	})
	for _, f := range files {
		names := history(t, f.Path)
		if len(names) < 2 || everything(t, f.Path) != want {
			t.Errorf("%s: lines are missing or doubled in %d files", f.ID, len(names)+1)
		}
		for _, name := range names {
			if !strings.HasSuffix(content(t, name), "\n") {
				t.Errorf("%s ends within a line", name)
			}
		}
	}
	if k := events.kinds(); k != "" {
		t.Errorf("events: %s", k)
	}
}

func TestReadWhileRotating(t *testing.T) {
	path := logPath(t)
	s, _ := testSet(t, realFiles, testTiming)
	p, src := openPipeline(t, s, spec.Log{Path: path, MaxSize: 500_000, MaxFiles: 10_000, Compress: spec.CompressGzip})
	stop := make(chan struct{})
	var wg sync.WaitGroup
	wg.Go(func() {
		for n := 0; ; n += 200 {
			select {
			case <-stop:
				src.end()
				return
			case src.in <- numbered(n, 200):
			}
		}
	})
	for range 50 {
		got := readAll(t, []File{{Path: path}}, Query{Last: 15_000})
		if n := len(got); n > 1 && len(got[n-1]) < len(got[0]) {
			got = got[:n-1] // of a write that went on meanwhile
		}
		for i := range got[min(1, len(got)):] {
			if got[i+1] <= got[i] {
				t.Fatalf("%q comes behind %q", got[i+1], got[i])
			}
		}
	}
	close(stop)
	wg.Wait()
	p.Drain(time.Minute)
}
