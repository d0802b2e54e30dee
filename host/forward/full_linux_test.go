package forward

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// TestFullDisk writes a spool until a real disk has no byte left, which takes a part of the last block: what fitted
// in memory keeps its place, and every record is sent or counted.
func TestFullDisk(t *testing.T) {
	dir := t.TempDir()
	if err := unix.Mount("tmpfs", dir, "tmpfs", 0, "size=2m"); err != nil {
		t.Skip("a tmpfs can't be mounted here: ", err)
	}
	t.Cleanup(func() {
		if err := unix.Unmount(dir, unix.MNT_DETACH); err != nil {
			t.Error(err)
		}
	})
	ballast := filepath.Join(dir, "ballast")
	if err := os.WriteFile(ballast, make([]byte, 1<<20), 0o600); err != nil {
		t.Fatal(err)
	}
	r := newRig(t)
	r.dir = filepath.Join(dir, "spool")
	r.cfg.Spool = 64 << 20
	r.m.answer = away
	r.start()
	pad := strings.Repeat("x", 1000)
	number := 0
	take := func(n int) {
		for range n {
			r.target.in.Take(textRecord(fmt.Sprintf("%06d%s", number, pad)))
			number++
		}
	}
	for range 40 { // 40 MB for 1 MiB of disk and 16 of memory
		take(1000)
		poll(t, "a moment", func() bool { return r.target.statistics().WaitingRecords > 0 })
	}
	poll(t, "the disk to be full", func() bool {
		s := r.target.statistics()
		return len(r.told(EventTrouble)) > 0 && s.DroppedRecords > 0 && s.SpooledBytes > 0 && s.SpooledBytes <= 1<<20
	})
	if told := fmt.Sprint(r.told(EventTrouble)); !strings.Contains(told, "no space left on device") {
		t.Errorf("told %s", told)
	}
	if err := os.Remove(ballast); err != nil {
		t.Fatal(err)
	}
	if err := unix.Mount("tmpfs", dir, "tmpfs", unix.MS_REMOUNT, "size=64m"); err != nil {
		t.Fatal(err)
	}
	poll(t, "what is in memory to be written", func() bool { return len(r.told(EventRecovered)) > 0 && r.target.statistics().SpooledBytes > 3<<20 })
	r.m.set(func(m *memory) { m.answer = nil })
	r.target.changeTo(r.cfg) // to be tried at once
	poll(t, "everything to be sent or counted", func() bool {
		s := r.target.statistics()
		return s.SentRecords+s.DroppedRecords == int64(number) && s.SpooledBytes == 0
	})
	r.end(time.Second)
	got := r.m.all()
	for n := range got[1:] {
		if got[n] >= got[n+1] {
			t.Fatalf("%.6s comes before %.6s", got[n], got[n+1])
		}
	}
}
