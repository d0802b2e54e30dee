package e2e

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"

	"servicehost/host/control"
)

// longLine makes files that are rotated of few lines: each is sent as JSON.
var longLine = strings.Repeat("the quick brown fox jumps over the ", 5)

// numbersChild writes lines with numbers as fast as it can, and the last quarter of them when the file GO is there.
func numbersChild(tag, lines, goFile string) {
	n, _ := strconv.Atoi(lines)
	out := bufio.NewWriterSize(os.Stdout, 32<<10)
	for i := range n {
		if i == n*3/4 {
			out.Flush()
			for {
				if _, err := os.Stat(goFile); err == nil {
					break
				}
				time.Sleep(10 * time.Millisecond)
			}
		}
		fmt.Fprintf(out, "%s %08d %s lazy dog\n", tag, i, longLine)
	}
	out.Flush()
}

// lineCount sees that each number comes once, in order.
type lineCount struct {
	mu   sync.Mutex
	next map[string]int
	err  error
}

func (c *lineCount) line(id, text string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	tag, rest, _ := strings.Cut(text, " ")
	if strings.HasSuffix(text, "is up") || c.err != nil {
		return
	}
	number, _, _ := strings.Cut(rest, " ")
	if n, err := strconv.Atoi(number); err != nil || tag != id || n != c.next[id] || !strings.HasSuffix(text, " lazy dog") {
		c.err = fmt.Errorf("%s: %q where %d is next", id, text, c.next[id])
		return
	}
	if c.next == nil {
		c.next = map[string]int{}
	}
	c.next[id]++
}

func (c *lineCount) total() (n int, err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, k := range c.next {
		n += k
	}
	return n, c.err
}

// everyLine is the way of lines from twenty programs to everything that reads them.
type everyLine struct {
	services, lines int
	host            string // keys of host: in YAML
	log             string // further keys of log:, as in ", forward: [x]"
	// middle is called while lines are written, and end when all are and the host still runs.
	middle, end func(r *rig)
}

// run writes lines with rotation, compression, a reader who follows and a reload in the middle, and sees that all of
// them are in the files and at the reader, once and in order.
func (e everyLine) run(t *testing.T) {
	r := newRig(t)
	size := "1MiB"
	if slow {
		size = "64KiB"
	}
	goFile := filepath.ToSlash(filepath.Join(r.dir, "go"))
	spec := func(edit bool) string {
		text := "version: 1\n" + e.host + "services:\n"
		for i := range e.services {
			name, pack := fmt.Sprintf("s%02d", i), []string{"gzip", "zstd", "none"}[i%3]
			if edit && i%2 == 0 {
				pack = "zstd"
			}
			text += svc(name, r.child("numbers", name, strconv.Itoa(e.lines), goFile),
				fmt.Sprintf("log: {path: %s.log, max_size: %s, max_files: 1000, compress: %s%s}", name, size, pack, e.log))
		}
		if edit {
			text += svc("late", r.child("idle", "late"))
		}
		return text
	}
	r.write(spec(false))
	r.start()
	followed := &lineCount{}
	stop := r.follow(followed)
	before := r.allRunning()

	all := e.services * e.lines
	lines := func(what string, want int) {
		t.Helper()
		r.poll(what, func() bool {
			n, err := followed.total()
			if err != nil {
				t.Fatal(err)
			}
			return n >= want
		})
	}
	lines("the first lines to be read", all/4)
	r.write(spec(true))
	if e.middle != nil {
		e.middle(r)
	}
	r.until("the edit to be applied", func(s control.Status) bool {
		return len(s.Services) == e.services+1 && s.Host.Spec.State == control.SpecApplied
	})
	if err := os.WriteFile(goFile, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for n := 0; n < all; {
		lines(fmt.Sprintf("more than %d of %d lines to be read", n, all), min(n+1, all))
		n, _ = followed.total()
	}
	stop()
	after := r.pidsOf()
	delete(after, "late")
	if !maps.Equal(before, after) {
		t.Errorf("the edit restarted something: %v, then %v", before, after)
	}
	if e.end != nil {
		e.end(r)
	}
	if code := r.stop(); code != 0 {
		t.Errorf("host run: %d", code)
	}
	onDisk, merged := &lineCount{}, &lineCount{}
	rotated := 0
	for i := range e.services {
		rotated += r.readFiles(fmt.Sprintf("s%02d", i), onDisk)
	}
	for line := range strings.Lines(r.must(0, "logs", "-n", "all", "-o", "raw")) {
		id, _, _ := strings.Cut(line, " ")
		merged.line(id, strings.TrimSuffix(line, "\n"))
	}
	for what, c := range map[string]*lineCount{"following": followed, "the files": onDisk, "host logs": merged} {
		if n, err := c.total(); n != all || err != nil {
			t.Errorf("%s: %d of %d lines, %v", what, n, all, err)
		}
	}
	if rotated < e.services {
		t.Errorf("only %d rotated files", rotated)
	}
}

// follow reads all there is and will be, until the returned function is called.
func (r *rig) follow(c *lineCount) (stop func()) {
	cmd := exec.Command(r.exe, roleHost, "-f", r.spec, "logs", "-f", "-n", "all", "-o", "json")
	cmd.Env, cmd.Dir = append(slices.Clone(r.env), floodEnv(r.t)...), r.dir
	out, err := cmd.StdoutPipe()
	if err != nil {
		r.t.Fatal(err)
	}
	var said buffer
	cmd.Stderr = &said
	if err := cmd.Start(); err != nil {
		r.t.Fatal(err)
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		d := json.NewDecoder(out)
		for {
			var l control.LogLine
			if d.Decode(&l) != nil {
				return
			}
			if l.Time.IsZero() || l.Service != l.ID || l.Instance != 1 || l.Stream != "stdout" {
				c.mu.Lock()
				c.err = fmt.Errorf("what is %+v", l)
				c.mu.Unlock()
			}
			c.line(l.ID, l.Line)
		}
	}()
	stop = sync.OnceFunc(func() {
		_ = cmd.Process.Kill()
		<-done
		_ = cmd.Wait()
		if s := said.String(); s != "" {
			r.t.Errorf("host logs -f: %s", s)
		}
	})
	r.t.Cleanup(stop)
	return stop
}

// readFiles counts the lines in the files of a log, without the host, and returns how many rotated ones there are.
func (r *rig) readFiles(name string, c *lineCount) (rotated int) {
	r.t.Helper()
	names, err := filepath.Glob(filepath.Join(r.dir, name+"-*"))
	if err != nil {
		r.t.Fatal(err)
	}
	slices.Sort(names)
	for _, path := range append(names, filepath.Join(r.dir, name+".log")) {
		if filepath.Ext(path) == ".idx" {
			continue
		}
		f, err := os.Open(path)
		if err != nil {
			r.t.Fatal(err)
		}
		defer f.Close()
		var in io.Reader = f
		switch filepath.Ext(path) {
		case ".gz":
			in, err = gzip.NewReader(f)
		case ".zst":
			in, err = zstd.NewReader(f)
		}
		if err != nil {
			r.t.Fatal(err)
		}
		s := bufio.NewScanner(in)
		for s.Scan() {
			c.line(name, s.Text())
		}
		if s.Err() != nil {
			r.t.Errorf("%s: %v", path, s.Err())
		}
	}
	return len(names)
}

func TestEveryLineArrivesEverywhere(t *testing.T) {
	e := everyLine{services: 20, lines: 12_000}
	if slow {
		e.lines = 2000
	}
	e.run(t)
}
