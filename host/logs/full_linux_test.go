package logs

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"servicehost/spec"
)

// TestRealFullDisk writes to a tmpfs until the last byte is taken, with several services.
func TestRealFullDisk(t *testing.T) {
	dir := t.TempDir()
	if err := unix.Mount("tmpfs", dir, "tmpfs", 0, "size=4m"); err != nil {
		t.Skip("a tmpfs can't be mounted here: ", err)
	}
	t.Cleanup(func() {
		if err := unix.Unmount(dir, unix.MNT_DETACH); err != nil {
			t.Error(err)
		}
	})
	ballast := filepath.Join(dir, "ballast")
	put(t, ballast, strings.Repeat("x", 2<<20))
	s, events := testSet(t, realFiles, testTiming)
	const services, lines = 4, 30_000
	var wg sync.WaitGroup
	pipes := make([]*Pipeline, services)
	srcs := make([]*stream, services)
	path := func(i int) string { return filepath.Join(dir, "logs", fmt.Sprintf("s%d.log", i)) }
	for i := range services {
		pipes[i], srcs[i] = openPipeline(t, s, spec.Log{Path: path(i), MaxSize: 512 << 10, MaxFiles: 1000})
		wg.Go(func() {
			for n := 0; n < lines; n += 100 {
				text := numbered(n, 100)
				half := len(text) / 3
				srcs[i].in <- text[:half]
				srcs[i].in <- text[half:]
			}
		})
	}
	wg.Wait()
	until(t, "trouble told", func() bool { return strings.Contains(events.kinds(), EventTrouble) })
	if err := os.Remove(ballast); err != nil {
		t.Fatal(err)
	}
	if err := unix.Mount("tmpfs", dir, "tmpfs", unix.MS_REMOUNT, "size=32m"); err != nil {
		t.Fatal(err)
	}
	all := int64(0)
	for i := range services {
		fillers := 0
		until(t, "written again", func() bool { srcs[i].send("\n"); fillers++; return pipes[i].Stats().Dropping == "" })
		srcs[i].end()
		pipes[i].Drain(time.Minute)
		whole, dropped, bytes, halves := account(t, everything(t, path(i)))
		for _, h := range halves {
			if h == "\n" {
				fillers--
			}
		}
		st := pipes[i].Stats()
		if st.LinesDropped != dropped || st.BytesDropped != bytes || whole+dropped != int64(lines+fillers) {
			t.Errorf("service %d: %d whole, %d told as dropped, %d fillers, halves %q, stats %+v", i, whole, dropped, fillers, halves, st)
		}
		all += dropped
	}
	if all == 0 { // one service may have been done before the disk was full
		t.Error("nothing was dropped by any service")
	}
}
