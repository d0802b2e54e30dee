package process_test

import (
	"fmt"
	"io"
	"os"
	"runtime"
	"testing"

	"servicehost/host/process"
)

// eat MIB FILES FILE: uses memory, holds files open, writes a MiB into FILE, and ends with its stdin.
func playEat(args []string) {
	block := make([]byte, number(args[0])<<20)
	for i := range block {
		block[i] = byte(i)
	}
	var open []*os.File
	for range number(args[1]) {
		f, err := os.Open(os.Args[0])
		if err != nil {
			fmt.Println(err)
			os.Exit(8)
		}
		open = append(open, f)
	}
	if err := os.WriteFile(args[2], block[:1<<20], 0o600); err != nil {
		fmt.Println(err)
		os.Exit(8)
	}
	fmt.Println("ready")
	io.Copy(io.Discard, os.Stdin)
	runtime.KeepAlive(open)
	os.Exit(int(block[0]))
}

var usageCases = []suiteCase{
	{"FullUsage", func(t *testing.T, s *stage) {
		const mib = 96
		r := part("eat", fmt.Sprint(mib), "100", scratchFile(t))
		r.Stdin = true
		id, _ := s.start(r)
		s.read(id, process.Stdout).awaitText(t, "ready")
		cheap, err := s.Usage(id, false)
		if err != nil {
			t.Fatal(err)
		}
		if cheap.Memory < mib<<20 || cheap.Memory > 4*mib<<20 || cheap.Processes != 1 {
			t.Errorf("a cheap look: %+v", cheap)
		}
		u, err := s.Usage(id, true)
		if err != nil {
			t.Fatal(err)
		}
		if u.Memory < mib<<20 || u.Resident < mib<<20 || u.Private < mib<<20 || u.PeakMemory < mib<<20 ||
			u.Processes != 1 || u.CPU < cheap.CPU {
			t.Errorf("a full look: %+v", u)
		}
		checkUsage(t, u)
		if err := s.StopStep(id, "stdin_close"); err != nil {
			t.Fatal(err)
		}
		if exit := s.await(id, process.Exited).Exit; exit.PeakMemory < mib<<20 || exit.PeakMemory > 4*mib<<20 || exit.Code != 0 {
			t.Errorf("%+v", exit)
		}
		if gone := s.await(id, process.Gone).Exit; gone.PeakMemory < mib<<20 {
			t.Errorf("%+v", gone)
		}
		if kind := kindOf(t, usageError(s, id)); kind != process.ErrNoRun {
			t.Errorf("usage of what is gone: kind %q", kind)
		}
	}},
	{"UsageCountsWhatLeftItsGroup", func(t *testing.T, s *stage) {
		var ids []process.RunID
		for _, how := range []string{"same", "detached"} {
			id, _ := s.start(part("family", how, "spin"))
			ids = append(ids, id)
			s.read(id, process.Stdout).awaitGrandchild(t)
		}
		for _, id := range ids {
			u, err := s.Usage(id, false)
			if err != nil || u.Processes != 2 || u.Memory < 8<<20 {
				t.Errorf("usage %+v, %v", u, err)
			}
			if full, err := s.Usage(id, true); err != nil || full.Processes != 2 {
				t.Errorf("usage %+v, %v", full, err)
			}
		}
	}},
	{"UsageOfWhatTheMainProcessLeft", func(t *testing.T, s *stage) {
		var ids []process.RunID
		var pids []int
		for _, how := range []string{"same", "detached"} {
			r := part("family", how, "spin", "exit")
			r.WholeTree = true
			id, _ := s.start(r)
			ids = append(ids, id)
			pids = append(pids, s.read(id, process.Stdout).awaitGrandchild(t))
			s.await(id, process.Exited)
		}
		for n, id := range ids {
			if u, err := s.Usage(id, false); err != nil || u.Processes != 1 || u.Memory < 8<<20 {
				t.Errorf("usage %+v, %v", u, err)
			}
			killProcess(t, pids[n])
			s.await(id, process.Gone)
		}
	}},
}

func usageError(s *stage, id process.RunID) error {
	_, err := s.Usage(id, true)
	return err
}

// scratchFile is the path of a file that may be written by a child.
func scratchFile(t *testing.T) string {
	t.Helper()
	f, err := os.CreateTemp("", "eat")
	if err != nil {
		t.Fatal(err)
	}
	f.Close()
	t.Cleanup(func() { os.Remove(f.Name()) })
	return f.Name()
}
