package process

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"golang.org/x/sys/unix"
)

func testLooker() *looker { return &looker{buf: make([]byte, 512)} }

func TestFoldersAreReadToTheirEnd(t *testing.T) {
	dir := t.TempDir()
	var want, got []string
	for n := range 200 {
		name := fmt.Sprintf("%0*d", 1+n, 7) // of every length
		want = append(want, name)
		if err := os.WriteFile(filepath.Join(dir, name), nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	fd, err := unix.Open(dir, unix.O_RDONLY|unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer unix.Close(fd)
	testLooker().entries(fd, func(name []byte) { got = append(got, string(name)) })
	slices.SortFunc(got, func(a, b string) int { return len(a) - len(b) })
	if !slices.Equal(got, want) {
		t.Errorf("%d of %d names", len(got), len(want))
	}
}

func TestLongFilesAreReadWhole(t *testing.T) {
	l := testLooker()
	file := filepath.Join(t.TempDir(), "f")
	text := slices.Repeat([]byte("12345 "), 1000)
	if err := os.WriteFile(file, text, 0o600); err != nil {
		t.Fatal(err)
	}
	l.file(file)
	pids := numbers(nil, l.readAll())
	if len(pids) != 1000 || pids[0] != 12345 || pids[999] != 12345 {
		t.Errorf("%d numbers", len(pids))
	}
	l.file(file + "-not-there")
	if l.read() != nil || l.count() != 0 {
		t.Error("something is read of what is not there")
	}
}

func TestStatOfStrangeNames(t *testing.T) {
	// The name of a command may hold anything: what counts is behind its last bracket.
	l := testLooker()
	if s, ok := l.stat(os.Getpid()); !ok || s.threads < 2 || s.resident < 1<<20 || s.group != unix.Getpgrp() || s.created != created(os.Getpid()) {
		t.Errorf("%+v", s)
	}
	name, err := os.ReadFile("/proc/self/comm")
	if err == nil {
		err = os.WriteFile("/proc/self/comm", []byte("a) Z 1 (b"), 0)
	}
	if err != nil {
		t.Skip(err)
	}
	defer os.WriteFile("/proc/self/comm", name, 0)
	if s, ok := l.stat(os.Getpid()); !ok || s.state == 'Z' || s.group != unix.Getpgrp() {
		t.Errorf("%+v", s)
	}
	if _, ok := l.stat(1 << 22); ok {
		t.Error("a process that can't be")
	}
}

func TestNumbersAndValues(t *testing.T) {
	for text, want := range map[string][]int{"": nil, "7": {7}, " 1 22\n333\n": {1, 22, 333}, "x": nil, "4x5": {4, 5}} {
		if got := numbers(nil, []byte(text)); !slices.Equal(got, want) {
			t.Errorf("%q: %v", text, got)
		}
	}
	text := []byte("Rss:   12 kB\nPss:\t 34 kB\nlast: 5")
	for key, want := range map[string]int64{"Rss:": 12, "Pss:": 34, "last:": 5, "ss:": 0, "none:": 0} {
		if got := value(text, key); got != want {
			t.Errorf("%s %d, want %d", key, got, want)
		}
	}
}

func TestPeakResidentIsTheChildsOwn(t *testing.T) {
	var own unix.Rusage
	if err := unix.Getrusage(unix.RUSAGE_SELF, &own); err != nil {
		t.Fatal(err)
	}
	if n := peakResident(own.Maxrss); n != 0 {
		t.Errorf("%d bytes that may be those of the host", n)
	}
	if n := peakResident(own.Maxrss + 1<<20); n != (own.Maxrss+1<<20)<<10 {
		t.Errorf("%d bytes", n)
	}
}
