package process

import (
	"testing"
	"unsafe"

	"golang.org/x/sys/windows"
)

// fakeSnapshots answers like a system with snapshots.
type fakeSnapshots struct {
	t       *testing.T
	refuse  string
	threads uint32
	freed   int
}

func (f *fakeSnapshots) capture(process windows.Handle, flags uint32) (uintptr, bool) {
	if process != 7 || flags != 0x80 { // PSS_CAPTURE_THREADS and nothing else: no copy of the memory is made
		f.t.Errorf("capture of %d with flags %#x", process, flags)
	}
	return 42, f.refuse != "capture"
}

func (f *fakeSnapshots) query(snapshot uintptr, class uint32, into *pssThreadInformation) bool {
	if snapshot != 42 || class != 5 {
		f.t.Errorf("query of %d for class %d", snapshot, class)
	}
	into.threadsCaptured = f.threads
	return f.refuse != "query"
}

func (f *fakeSnapshots) free(snapshot uintptr) {
	if snapshot != 42 {
		f.t.Errorf("free of %d", snapshot)
	}
	f.freed++
}

func TestThreadsAreCountedByASnapshot(t *testing.T) {
	for refuse, want := range map[string]struct{ threads, freed int }{"": {12, 1}, "query": {0, 1}, "capture": {0, 0}} {
		f := &fakeSnapshots{t: t, refuse: refuse, threads: 12}
		if n := countThreads(f, 7); n != want.threads || f.freed != want.freed {
			t.Errorf("refused %q: %d threads, freed %d times", refuse, n, f.freed)
		}
	}
}

func TestUsageStructuresAreThoseOfTheSystem(t *testing.T) {
	word := unsafe.Sizeof(uintptr(0))
	for name, c := range map[string]struct{ got, want uintptr }{
		"PROCESS_MEMORY_COUNTERS_EX":                    {unsafe.Sizeof(memoryCounters{}), 8 + 9*word},
		"JOBOBJECT_BASIC_ACCOUNTING_INFORMATION":        {unsafe.Sizeof(accounting{}), 48},
		"JOBOBJECT_BASIC_AND_IO_ACCOUNTING_INFORMATION": {unsafe.Sizeof(ioAccounting{}), 96},
		"IoInfo of it":           {unsafe.Offsetof(ioAccounting{}.io), 48},
		"PSS_THREAD_INFORMATION": {unsafe.Sizeof(pssThreadInformation{}), 8},
	} {
		if c.got != c.want {
			t.Errorf("%s takes %d bytes, want %d", name, c.got, c.want)
		}
	}
}
