package main

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// sample is what is measured at one moment.
type sample struct {
	At                                        time.Duration // since the first one
	Phase                                     string
	RSS, PSS, GuardPSS, Heap                  int64 // KiB
	Goroutines, Descriptors, Threads, Cgroups int
	CPU                                       time.Duration // of the host, since it was started
	Logs, Journal                             int64         // KiB on disk
}

var csvHead = "seconds,phase,rss_kib,pss_kib,guard_pss_kib,heap_kib,goroutines,descriptors,threads,cgroups,cpu_seconds,logs_kib,journal_kib\n"

func (s sample) csv() string {
	return fmt.Sprintf("%.1f,%s,%d,%d,%d,%d,%d,%d,%d,%d,%.3f,%d,%d\n", s.At.Seconds(), s.Phase, s.RSS, s.PSS, s.GuardPSS, s.Heap,
		s.Goroutines, s.Descriptors, s.Threads, s.Cgroups, s.CPU.Seconds(), s.Logs, s.Journal)
}

// sample measures the host and its guard.
func (h *host) sample(ctx context.Context) (sample, error) {
	var s sample
	var err error
	if s.RSS, s.PSS, err = memory(h.pid()); err != nil {
		return s, err
	}
	if h.guard != 0 {
		if _, s.GuardPSS, err = memory(h.guard); err != nil {
			return s, err
		}
	}
	s.Descriptors = entries(fmt.Sprintf("/proc/%d/fd", h.pid()))
	s.Threads = entries(fmt.Sprintf("/proc/%d/task", h.pid()))
	s.Cgroups = h.cgroups()
	if s.CPU, err = cpuTime(h.pid()); err != nil {
		return s, err
	}
	v, err := h.runtime(ctx)
	if err != nil {
		return s, err
	}
	s.Goroutines, s.Heap = v.Host.Goroutines, int64(v.Memstats.HeapAlloc>>10)
	state := filepath.Join(h.dir, ".host")
	s.Logs = size(filepath.Join(state, "logs")) + size(filepath.Join(h.dir, "counted"))
	s.Journal = size(filepath.Join(state, "journal"))
	return s, nil
}

// memory is what a process has, in KiB: resident, and its proportional share.
func memory(pid int) (rss, pss int64, err error) {
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/smaps_rollup", pid))
	if err != nil {
		return 0, 0, err
	}
	for line := range bytes.Lines(b) {
		var n int64
		if _, err := fmt.Sscanf(string(line), "Rss: %d kB", &n); err == nil {
			rss = n
		}
		if _, err := fmt.Sscanf(string(line), "Pss: %d kB", &n); err == nil {
			pss = n
		}
	}
	return rss, pss, nil
}

func entries(dir string) int {
	list, _ := os.ReadDir(dir)
	return len(list)
}

// cpuTime is what a process has used, threads that ended included, to the nanosecond: see clock_getcpuclockid(3).
func cpuTime(pid int) (time.Duration, error) {
	const scheduler = 2
	var t unix.Timespec
	if err := unix.ClockGettime(int32(^pid)<<3|scheduler, &t); err != nil {
		return 0, err
	}
	return time.Duration(t.Nano()), nil
}

// cgroups counts those of the host's services.
func (h *host) cgroups() (n int) {
	for _, root := range []string{"/sys/fs/cgroup", "/sys/fs/cgroup/unified"} {
		dirs, _ := filepath.Glob(fmt.Sprintf("%s/servicehost-%d-*/*", root, h.pid()))
		for _, d := range dirs {
			if st, err := os.Stat(d); err == nil && st.IsDir() {
				n++
			}
		}
	}
	return n
}

// size is what the files of a folder take, in KiB.
func size(dir string) (kib int64) {
	_ = filepath.WalkDir(dir, func(_ string, e fs.DirEntry, err error) error {
		if err == nil && e.Type().IsRegular() {
			if info, err := e.Info(); err == nil {
				kib += info.Size()
			}
		}
		return nil // what goes meanwhile is not there
	})
	return kib >> 10
}

// childNamed is the child of a process whose first argument is name, 0 if there is none.
func childNamed(parent int, name string) (int, error) {
	dirs, err := os.ReadDir("/proc")
	if err != nil {
		return 0, err
	}
	for _, d := range dirs {
		pid, err := strconv.Atoi(d.Name())
		if err != nil {
			continue
		}
		line, _ := os.ReadFile(fmt.Sprintf("/proc/%d/cmdline", pid))
		if bytes.HasPrefix(line, []byte(name+"\x00")) && parentOf(pid) == parent {
			return pid, nil
		}
	}
	return 0, nil
}

func parentOf(pid int) (parent int) {
	f, err := os.Open(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return 0
	}
	defer f.Close()
	for in := bufio.NewScanner(f); in.Scan(); {
		if n, err := fmt.Sscanf(in.Text(), "PPid: %d", &parent); n == 1 && err == nil {
			break
		}
	}
	return parent
}

// marked are the living processes that carry our mark in their environment, with their command lines.
func marked(dir string) map[int]string {
	list := map[int]string{}
	dirs, _ := os.ReadDir("/proc")
	mark := []byte(envDir + "=" + dir + "\x00")
	for _, d := range dirs {
		pid, err := strconv.Atoi(d.Name())
		if err != nil {
			continue
		}
		env, err := os.ReadFile(fmt.Sprintf("/proc/%d/environ", pid))
		if err != nil || !bytes.Contains(env, mark) {
			continue
		}
		line, _ := os.ReadFile(fmt.Sprintf("/proc/%d/cmdline", pid))
		list[pid] = strings.TrimSpace(strings.ReplaceAll(string(line), "\x00", " "))
	}
	return list
}
