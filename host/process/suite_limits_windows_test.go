package process_test

import (
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"

	"golang.org/x/sys/windows"

	"servicehost/host/process"
)

func TestSystemTakesEveryLimit(t *testing.T) {
	var mu sync.Mutex
	var warned []string
	b, err := process.New(process.Options{Warn: func(s string) {
		mu.Lock()
		warned = append(warned, s)
		mu.Unlock()
	}})
	if err != nil {
		t.Fatal(err)
	}
	s := newStage(t, b)
	r := part("class")
	r.Limits = process.Limits{Memory: 1 << 30, CPU: 150, Processes: 16}
	r.Nice, r.Affinity, r.AllowBreakaway, r.ErrorDialogs = 10, []int{0}, true, true
	for range 2 {
		id, _ := s.start(r)
		text := s.read(id, process.Stdout).awaitEnd(t)
		want := fmt.Sprintf("class %d <nil>\n", windows.BELOW_NORMAL_PRIORITY_CLASS)
		if underWine() { // it takes the class and leaves it at that
			want = fmt.Sprintf("class %d <nil>\n", windows.NORMAL_PRIORITY_CLASS)
		}
		if text != want {
			t.Errorf("it says %q, want %q", text, want)
		}
		if e := s.await(id, process.Gone); e.Exit.Code != 0 {
			t.Errorf("exit %+v", e.Exit)
		}
	}
	mu.Lock()
	defer mu.Unlock()
	// Wine has no CPU rate; that is said, and once.
	if underWine() {
		if len(warned) != 1 || !strings.Contains(warned[0], `service "web": limits.cpu 150% is not enforced here`) {
			t.Errorf("warnings %q", warned)
		}
	} else if len(warned) != 0 {
		t.Errorf("warnings %q", warned)
	}
}

func TestAffinityToCPUsThatAreNotThereIsWarnedOf(t *testing.T) {
	warned := make(chan string, 10)
	b, err := process.New(process.Options{Warn: func(s string) { warned <- s }})
	if err != nil {
		t.Fatal(err)
	}
	s := newStage(t, b)
	r := part("exit", "0")
	r.Affinity = []int{1000, 1001}
	id, _ := s.start(r)
	s.await(id, process.Gone)
	if got := <-warned; !strings.Contains(got, "its affinity names CPU 1000 1001, but this machine has ") {
		t.Errorf("warning %q", got)
	}
}

func TestOnlyAllowedBreakawayLeavesTheTree(t *testing.T) {
	s := newStage(t, newBackend(t))
	r := part("family", "breakaway", "ignore")
	id, _ := s.start(r)
	if text := s.read(id, process.Stdout).awaitEnd(t); !strings.Contains(text, "cannot start") {
		t.Errorf("a process left the tree: %s", text)
	}
	s.await(id, process.Gone)

	r.AllowBreakaway = true
	id, ident := s.start(r)
	left := s.read(id, process.Stdout).awaitGrandchild(t)
	t.Cleanup(func() { killProcess(t, left) })
	if err := s.KillTree(id); err != nil {
		t.Fatal(err)
	}
	s.await(id, process.Gone)
	if got := []bool{alive(ident.PID), alive(left)}; !slices.Equal(got, []bool{false, true}) {
		t.Errorf("child and grandchild live: %v", got)
	}
}
