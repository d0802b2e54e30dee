package process_test

import (
	"os"
	"path/filepath"
	"strconv"
	"sync"
	"syscall"
	"testing"
	"time"

	"servicehost/host/process"
)

// BenchmarkFlood is the way of what children write from their pipes into files, against the loop of cat in a
// thread of its own. It is to be read by the ratio of cpu-s/GiB and of MB/s.
func BenchmarkFlood(b *testing.B) {
	for _, children := range []int{1, 20} {
		for _, way := range []string{"cat", "output"} {
			b.Run(way+"/"+strconv.Itoa(children), func(b *testing.B) { benchFlood(b, children, way == "cat") })
		}
	}
}

func benchFlood(b *testing.B, children int, cat bool) {
	const megabytes = 200
	backend, err := process.New(process.Options{Subreaper: true, NoCgroup: true})
	if err != nil {
		b.Fatal(err)
	}
	defer backend.Close()
	go func() {
		for range backend.Events() {
		}
	}()
	dir, err := os.MkdirTemp("/dev/shm", "flood")
	if err != nil {
		dir = b.TempDir()
	}
	defer os.RemoveAll(dir)
	b.SetBytes(megabytes * 1_000_000)
	var cpu time.Duration
	n := uint64(0)
	for b.Loop() {
		before := ownCPU(b)
		var all sync.WaitGroup
		for i := range children {
			f, err := os.OpenFile(filepath.Join(dir, strconv.Itoa(i)), os.O_CREATE|os.O_TRUNC|os.O_APPEND|os.O_WRONLY, 0o600)
			if err != nil {
				b.Fatal(err)
			}
			r := part("flood", strconv.Itoa(megabytes/children))
			if cat {
				all.Go(func() { catFlood(b, r, f) })
				continue
			}
			n++
			id := process.RunID{Service: "web", Instance: 1, Incarnation: n}
			if _, err := backend.Start(id, r); err != nil {
				b.Fatal(err)
			}
			out, err := backend.OpenOutput(id, process.Stdout)
			if err != nil {
				b.Fatal(err)
			}
			all.Go(func() {
				defer f.Close()
				if err := out.Copy(func(p []byte) { _, _ = f.Write(p) }); err != nil {
					b.Error(err)
				}
			})
		}
		all.Wait()
		cpu += ownCPU(b) - before
	}
	b.ReportMetric(cpu.Seconds()*(1<<30)/(float64(b.N)*megabytes*1e6), "cpu-s/GiB")
}

// catFlood reads as cat does: 128 KiB at a time, and waits in read.
func catFlood(b *testing.B, r process.Request, f *os.File) {
	defer f.Close()
	var fds [2]int
	if err := syscall.Pipe2(fds[:], syscall.O_CLOEXEC); err != nil {
		b.Error(err)
		return
	}
	defer syscall.Close(fds[0])
	pid, err := syscall.ForkExec(r.Path, r.Args, &syscall.ProcAttr{Env: r.Env, Files: []uintptr{0, uintptr(fds[1]), 2}})
	syscall.Close(fds[1])
	if err != nil {
		b.Error(err)
		return
	}
	buf := make([]byte, 128<<10)
	for {
		n, err := syscall.Read(fds[0], buf)
		if err == syscall.EINTR {
			continue
		}
		if n <= 0 {
			break
		}
		_, _ = f.Write(buf[:n])
	}
	syscall.Wait4(pid, nil, 0, nil)
}

func ownCPU(b *testing.B) time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
