package process_test

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"unsafe"

	"golang.org/x/sys/unix"

	"servicehost/host/process"
)

// init plays a part that only Linux has: it tells what the parent's death would send.
func init() {
	if os.Getenv(helperVar) == "parent-death" {
		var sig int
		if err := unix.Prctl(unix.PR_GET_PDEATHSIG, uintptr(unsafe.Pointer(&sig)), 0, 0, 0); err != nil {
			fmt.Println(err)
			os.Exit(1)
		}
		fmt.Println("parent-death signal", int32(sig), "user", os.Getuid())
		os.Exit(0)
	}
}

// self is what a process says of itself in /proc.
type self string

func (s self) field(t *testing.T, pattern string) string {
	t.Helper()
	m := regexp.MustCompile(`(?m)^` + pattern).FindStringSubmatch(string(s))
	if m == nil {
		t.Fatalf("no %q in %s", pattern, string(s))
	}
	return m[1]
}

func (s self) nice(t *testing.T) string {
	t.Helper()
	return strings.Fields(s.field(t, `\d+ \(cat\)(.*)`))[19-3]
}

// warnings collects what a backend warns of.
type warnings struct {
	mu   sync.Mutex
	list []string
}

func (w *warnings) add(s string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.list = append(w.list, s)
}

func (w *warnings) all() []string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return slices.Clone(w.list)
}

func newStageWith(t *testing.T, o process.Options) *stage {
	t.Helper()
	b, err := process.New(o)
	if err != nil {
		t.Fatal(err)
	}
	return newStage(t, b)
}

// catSelf runs cat on what the kernel says of it.
func catSelf(s *stage, change func(*process.Request)) self {
	s.t.Helper()
	r := process.Request{Path: "/bin/cat", Args: []string{"cat", "/proc/self/status", "/proc/self/limits", "/proc/self/stat"}, Dir: "/", Env: []string{"A=b"}}
	change(&r)
	id, _ := s.start(r)
	text := s.read(id, process.Stdout).awaitEnd(s.t)
	if e := s.await(id, process.Gone); e.Exit.Code != 0 {
		s.t.Fatalf("exit %+v with %s", e.Exit, text)
	}
	s.Ack(id)
	return self(text)
}

func TestChildIsAsOrderedFromItsFirstInstruction(t *testing.T) {
	var w warnings
	s := newStageWith(t, process.Options{Subreaper: true, Warn: w.add})
	var cpus unix.CPUSet
	if err := unix.SchedGetaffinity(0, &cpus); err != nil {
		t.Fatal(err)
	}
	cpu := 0
	for !cpus.IsSet(cpu) {
		cpu++
	}
	plain := catSelf(s, func(*process.Request) {})
	got := catSelf(s, func(r *process.Request) {
		r.Nice, r.Affinity, r.RestrictedToken = 7, []int{cpu}, true
		r.Limits.OpenFiles = 77
	})
	if n := got.nice(t); n != "7" {
		t.Errorf("nice %s", n)
	}
	if c := got.field(t, `Cpus_allowed_list:\s+(\S+)`); c != fmt.Sprint(cpu) {
		t.Errorf("runs on CPUs %s, not %d", c, cpu)
	}
	if n := got.field(t, `NoNewPrivs:\s+(\d)`); n != "1" {
		t.Errorf("NoNewPrivs %s", n)
	}
	if l := got.field(t, `Max open files +(\d+ +\d+)`); strings.Join(strings.Fields(l), " ") != "77 77" {
		t.Errorf("open files %s", l)
	}
	// The next one is as if nothing had been.
	for _, pattern := range []string{`Cpus_allowed_list:\s+(\S+)`, `NoNewPrivs:\s+(\d)`, `Max open files +(\d+ +\d+)`, `SigBlk:\s+(\S+)`, `SigIgn:\s+(\S+)`} {
		if a, b := plain.field(t, pattern), catSelf(s, func(*process.Request) {}).field(t, pattern); a != b {
			t.Errorf("%s was %s before and is %s after", pattern, a, b)
		}
	}
	// And the way through the helper changes nothing else.
	for _, pattern := range []string{`SigBlk:\s+(\S+)`, `SigIgn:\s+(\S+)`, `SigCgt:\s+(\S+)`, `Max open files +(\d+ +\d+)`, `Uid:\s+(.*)`} {
		if a, b := plain.field(t, pattern), catSelf(s, func(r *process.Request) { r.Nice = 3 }).field(t, pattern); a != b {
			t.Errorf("%s is %s, by way of an order %s", pattern, a, b)
		}
	}
	if got := w.all(); len(got) > 0 && !strings.Contains(got[0], "cgroup") {
		t.Errorf("warnings %q", got)
	}
}

func TestOrderedChildThatCannotStartSaysWhy(t *testing.T) {
	s := newStageWith(t, process.Options{Subreaper: true, Warn: func(string) {}})
	for name, c := range map[string]struct {
		change func(*process.Request)
		kind   process.ErrKind
		text   string
	}{
		"no program": {func(r *process.Request) { r.Path = "/nowhere/app" }, process.ErrNotFound, `executable "/nowhere/app" not found`},
		"no folder":  {func(r *process.Request) { r.Dir = "/nowhere" }, process.ErrNotFound, `folder "/nowhere" not found`},
		"no right":   {func(r *process.Request) { r.Path = "/etc/passwd" }, process.ErrPermission, "not executable"},
	} {
		t.Run(name, func(t *testing.T) {
			r := process.Request{Path: "/bin/cat", Args: []string{"cat"}, Dir: "/", Nice: 1}
			c.change(&r)
			_, err := s.Start(s.name(), r)
			if err == nil || kindOf(t, err) != c.kind || !strings.Contains(err.Error(), c.text) {
				t.Errorf("error %v, want %q", err, c.text)
			}
		})
	}
	if n := len(s.List()); n != 0 {
		t.Errorf("%d runs are left", n)
	}
}

func TestOrderedChildChangesItsUserAndFollowsTheHost(t *testing.T) {
	if os.Getuid() != 0 {
		t.Skip("needs root")
	}
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	dir, err := os.MkdirTemp("/tmp", "order")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	if err := os.Chmod(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	own := filepath.Join(dir, "child")
	copyFile(t, exe, own)
	s := newStageWith(t, process.Options{Subreaper: true, Warn: func(string) {}})
	// A raised priority is what only root may ask for.
	r := process.Request{Path: own, Args: []string{own}, Dir: dir, Env: []string{helperVar + "=parent-death"}, User: "nobody", Nice: -3}
	id, _ := s.start(r)
	text := s.read(id, process.Stdout).awaitEnd(t)
	if want := fmt.Sprintf("parent-death signal %d user 65534\n", syscall.SIGKILL); text != want {
		t.Errorf("it says %q, want %q", text, want)
	}
	s.await(id, process.Gone)
	if n := catSelf(s, func(r *process.Request) { r.User, r.Nice = "nobody", -3 }).nice(t); n != "-3" {
		t.Errorf("nice %s", n)
	}
}

func copyFile(t *testing.T, from, to string) {
	t.Helper()
	in, err := os.Open(from)
	if err != nil {
		t.Fatal(err)
	}
	defer in.Close()
	out, err := os.OpenFile(to, os.O_CREATE|os.O_WRONLY, 0o755)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := io.Copy(out, in); err != nil {
		t.Fatal(err)
	}
	if err := out.Close(); err != nil {
		t.Fatal(err)
	}
}

func TestOpenFilesBeyondTheOwnLimitAreWarnedOfOnce(t *testing.T) {
	// More than the kernel gives anybody: fs.nr_open.
	var w warnings
	s := newStageWith(t, process.Options{Subreaper: true, Warn: w.add})
	for range 2 {
		got := catSelf(s, func(r *process.Request) { r.Limits.OpenFiles = 1 << 30 })
		l := strings.Fields(got.field(t, `Max open files +(\d+ +\d+)`))
		if l[0] != l[1] {
			t.Errorf("open files %v: not all that may be had", l)
		}
	}
	n := 0
	for _, text := range w.all() {
		if strings.Contains(text, `service "web": each of its processes may open`) {
			n++
		}
	}
	if n != 1 {
		t.Errorf("%d warnings in %q", n, w.all())
	}
}
