package process

import (
	"os"
	"testing"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

func TestUsageStructuresAreThoseOfTheSystem(t *testing.T) {
	if n := unsafe.Sizeof(taskInfo{}); n != 96 {
		t.Errorf("struct proc_taskinfo takes %d bytes, want 96", n)
	}
	if n := unsafe.Offsetof(taskInfo{}.threads); n != 84 {
		t.Errorf("pti_threadnum is at %d, want 84", n)
	}
	if n := unsafe.Sizeof(rusageInfo{}); n != 160 {
		t.Errorf("struct rusage_info_v2 takes %d bytes, want 160", n)
	}
	if n := unsafe.Offsetof(rusageInfo{}.footprint); n != 72 {
		t.Errorf("ri_phys_footprint is at %d, want 72", n)
	}
	if n := unsafe.Offsetof(rusageInfo{}.read); n != 144 {
		t.Errorf("ri_diskio_bytesread is at %d, want 144", n)
	}
}

// What is told of this process agrees with what it knows of itself.
func TestUsageOfThisProcess(t *testing.T) {
	for start := time.Now(); time.Since(start) < 100*time.Millisecond; {
	}
	var u Usage
	u.add(os.Getpid(), true)
	var r unix.Rusage
	if err := unix.Getrusage(unix.RUSAGE_SELF, &r); err != nil {
		t.Fatal(err)
	}
	own := time.Duration(r.Utime.Nano() + r.Stime.Nano())
	if u.CPU < own/2 || u.CPU > own+time.Second || u.Memory < 1<<20 || u.Threads < 1 || u.Handles < 3 || u.Processes != 1 {
		t.Errorf("%+v, and %v of CPU by getrusage", u, own)
	}
}
