package process_test

import (
	"bytes"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"sync"
	"testing"
	"time"

	"servicehost/host/process"
)

// Children that write as fast as they can don't keep the lines of their neighbours: a line is in its file before
// the next is written, also when there is a flood for each processor and one more.
func TestFloodsLeaveTheirNeighboursAlone(t *testing.T) {
	const (
		neighbours = 20
		lines      = 30
		every      = 50 * time.Millisecond
	)
	s := newStage(t, newBackend(t))
	dir := t.TempDir()
	toFile := func(id process.RunID, name string, each func([]byte)) func() {
		out, err := s.OpenOutput(id, process.Stdout)
		if err != nil {
			t.Fatal(err)
		}
		f, err := os.Create(filepath.Join(dir, name))
		if err != nil {
			t.Fatal(err)
		}
		return func() {
			defer f.Close()
			if err := out.Copy(func(p []byte) {
				if _, err := f.Write(p); err != nil {
					t.Error(err)
				}
				each(p)
			}); err != nil {
				t.Errorf("Copy: %v", err)
			}
		}
	}
	var floods, slow sync.WaitGroup
	var flooders []process.RunID
	var kept sync.Mutex
	flooded := map[process.RunID]int{}
	for i := range 3 {
		id, _ := s.start(part("flood", "1000000"))
		flooders = append(flooders, id)
		written := 0
		f := filepath.Join(dir, "flood"+strconv.Itoa(i))
		floods.Go(toFile(id, filepath.Base(f), func(p []byte) {
			if written += len(p); written > 4<<20 {
				written = 0
				_ = os.Truncate(f, 0)
			}
			kept.Lock()
			flooded[id] += len(p)
			kept.Unlock()
		}))
	}
	var late []time.Duration
	for i := range neighbours {
		id, _ := s.start(part("ticks", strconv.Itoa(lines), strconv.FormatInt(every.Milliseconds(), 10)))
		slow.Go(toFile(id, "slow"+strconv.Itoa(i), func(p []byte) {
			now := time.Now()
			kept.Lock()
			defer kept.Unlock()
			for line := range bytes.Lines(p) {
				at, err := strconv.ParseInt(string(bytes.TrimSpace(line)), 10, 64)
				if err != nil {
					t.Error(err)
				}
				late = append(late, now.Sub(time.Unix(0, at)))
			}
		}))
	}
	slow.Wait()
	for _, id := range flooders {
		if err := s.KillTree(id); err != nil {
			t.Error(err)
		}
	}
	floods.Wait()
	if len(late) != neighbours*lines {
		t.Fatalf("%d lines of %d", len(late), neighbours*lines)
	}
	slices.Sort(late)
	median, most := late[len(late)/2], late[len(late)*9/10]
	t.Logf("a line is in its file after %v, nine of ten after %v; floods: %v", median, most, flooded)
	if median > every || most > 4*every {
		t.Errorf("half of the lines came after more than %v, one of ten after more than %v; one is written every %v", median, most, every)
	}
	for _, id := range flooders {
		if flooded[id] < 1<<20 {
			t.Errorf("the flood of %v brought %d bytes only", id, flooded[id])
		}
	}
}
