package main

import (
	"bufio"
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// entry is a line of the table of processes.
type entry struct {
	parent int
	dead   bool
	reaped time.Duration // CPU time of children that it has waited for
}

// parseStat reads what /proc/PID/stat says; the name in it may hold anything, brackets too.
func parseStat(text []byte) (e entry, ok bool) {
	_, after, found := cutLast(text, ')')
	words := strings.Fields(after)
	if !found || len(words) < 15 {
		return e, false
	}
	const tick = 10 * time.Millisecond // USER_HZ is 100 wherever Go runs
	user, err1 := strconv.Atoi(words[13])
	system, err2 := strconv.Atoi(words[14])
	parent, err3 := strconv.Atoi(words[1])
	e = entry{parent: parent, dead: words[0] == "Z" || words[0] == "X", reaped: time.Duration(user+system) * tick}
	return e, err1 == nil && err2 == nil && err3 == nil
}

func cutLast(text []byte, sep byte) (before, after string, found bool) {
	i := bytes.LastIndexByte(text, sep)
	if i < 0 {
		return "", "", false
	}
	return string(text[:i]), string(text[i+1:]), true
}

func processTable() map[int]entry {
	out := map[int]entry{}
	dirs, _ := os.ReadDir("/proc")
	for _, d := range dirs {
		pid, err := strconv.Atoi(d.Name())
		if err != nil {
			continue
		}
		text, err := os.ReadFile(filepath.Join("/proc", d.Name(), "stat"))
		if err != nil {
			continue
		}
		if e, ok := parseStat(text); ok {
			out[pid] = e
		}
	}
	return out
}

// below are the living processes among the descendants of one, without itself.
func below(all map[int]entry, root int) (out []int) {
	children := map[int][]int{}
	for pid, e := range all {
		children[e.parent] = append(children[e.parent], pid)
	}
	todo := []int{root}
	for len(todo) > 0 {
		pid := todo[0]
		todo = append(todo[1:], children[pid]...)
		if pid != root && !all[pid].dead {
			out = append(out, pid)
		}
	}
	return out
}

func alive(pid int) bool {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return false
	}
	e, ok := parseStat(text)
	return ok && !e.dead
}

func programOf(pid int) string {
	path, _ := os.Readlink(fmt.Sprintf("/proc/%d/exe", pid))
	return path
}

// endAll kills every descendant of this process; the supervisors first, lest they start children anew.
func endAll(child string) error {
	until := time.Now().Add(time.Minute)
	for {
		reap()
		left := below(processTable(), os.Getpid())
		if len(left) == 0 {
			return nil
		}
		if time.Now().After(until) {
			return fmt.Errorf("%d processes would not end", len(left))
		}
		supervisors := false
		for _, pid := range left {
			if programOf(pid) != child {
				supervisors = true
				unix.Kill(pid, syscall.SIGKILL)
			}
		}
		if !supervisors {
			for _, pid := range left {
				unix.Kill(pid, syscall.SIGKILL)
			}
		}
		waitGone(watch(left[:min(len(left), 200)]), 20*time.Millisecond)
	}
}

// cpuOf is the CPU time of a process by the scheduler's own count, which is finer than that of stat.
func cpuOf(pid int) (sum time.Duration) {
	files, _ := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/schedstat", pid))
	for _, f := range files {
		text, err := os.ReadFile(f)
		if err != nil {
			continue
		}
		if words := strings.Fields(string(text)); len(words) > 0 {
			n, _ := strconv.ParseInt(words[0], 10, 64)
			sum += time.Duration(n)
		}
	}
	return sum
}

func threadsOf(pid int) int {
	dirs, _ := os.ReadDir(fmt.Sprintf("/proc/%d/task", pid))
	return len(dirs)
}

// mib reads a line "Name:  123 kB" of a file below /proc/PID, in MiB.
func mib(pid int, file, name string) float64 {
	f, err := os.Open(fmt.Sprintf("/proc/%d/%s", pid, file))
	if err != nil {
		return 0
	}
	defer f.Close()
	for in := bufio.NewScanner(f); in.Scan(); {
		if rest, ok := strings.CutPrefix(in.Text(), name+":"); ok {
			if words := strings.Fields(rest); len(words) > 0 {
				n, _ := strconv.ParseFloat(words[0], 64)
				return n / 1024
			}
		}
	}
	return 0
}
