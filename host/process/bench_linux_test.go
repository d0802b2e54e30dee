package process_test

import (
	"strconv"
	"syscall"
	"testing"

	"servicehost/host/process"
)

// BenchmarkStart is the cost of a start, against a bare ForkExec of the same program.
func BenchmarkStart(b *testing.B) {
	b.Run("forkexec", func(b *testing.B) {
		var pids []int
		for b.Loop() {
			pid, err := syscall.ForkExec("/bin/sleep", []string{"sleep", "1000"}, &syscall.ProcAttr{Env: []string{"A=b"}, Files: []uintptr{0, 1, 2}})
			if err != nil {
				b.Fatal(err)
			}
			pids = append(pids, pid)
		}
		for _, p := range pids {
			syscall.Kill(p, syscall.SIGKILL)
			syscall.Wait4(p, nil, 0, nil)
		}
	})
	for name, c := range map[string]struct {
		noCgroup bool
		nice     int
	}{"cgroup": {}, "group": {noCgroup: true}, "ordered": {nice: 1}} {
		b.Run(name, func(b *testing.B) {
			backend, err := process.New(process.Options{Subreaper: true, NoCgroup: c.noCgroup})
			if err != nil {
				b.Fatal(err)
			}
			defer backend.Close()
			go func() {
				for range backend.Events() {
				}
			}()
			n := uint64(0)
			for b.Loop() {
				n++
				id := process.RunID{Service: "s" + strconv.FormatUint(n, 10), Instance: 1, Incarnation: n}
				if _, err := backend.Start(id, process.Request{Path: "/bin/sleep", Args: []string{"sleep", "1000"}, Dir: "/", Env: []string{"A=b"}, Nice: c.nice}); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
