package main

import (
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"strconv"
	"strings"
	"syscall"
	"time"
	"unsafe"

	"golang.org/x/sys/windows"
)

var (
	kernel32  = windows.NewLazySystemDLL("kernel32.dll")
	counter   = kernel32.NewProc("QueryPerformanceCounter")
	frequency = kernel32.NewProc("QueryPerformanceFrequency")
)

// ticks is a clock that all processes share and that is finer than Go's on Windows.
func ticks() (n int64) {
	counter.Call(uintptr(unsafe.Pointer(&n)))
	return n
}

func between(begin, end int64) time.Duration {
	var perSecond int64
	frequency.Call(uintptr(unsafe.Pointer(&perSecond)))
	return time.Duration(float64(end-begin) / float64(perSecond) * float64(time.Second))
}

// child is what is supervised: PART FILE. The first that it does is to note in FILE when that was.
func child(part, file string) {
	at := ticks()
	stop := make(chan os.Signal, 1)
	signal.Notify(stop, os.Interrupt, syscall.SIGTERM)
	if part == "tree" {
		if err := exec.Command(os.Args[0], "child", "leaf", file).Start(); err != nil {
			fmt.Println(err)
		}
	}
	note(file, fmt.Sprintf("%s %d %d", part, os.Getpid(), at))
	switch part {
	case "burst": // so many lines, and an end without a word; the next one only waits
		if notes(file, "burst") == 1 {
			writeLines(burstLines, nil)
			_ = windows.TerminateProcess(windows.CurrentProcess(), 3)
		}
	case "flood": // blocks of lines as fast as they are taken, and when they were
		n := 0
		for block := []byte(strings.Repeat(floodLine, floodBlock)); n < floodBytes; n += len(block) {
			if _, err := os.Stdout.Write(block); err != nil {
				break
			}
		}
		note(file, fmt.Sprintf("taken %d %d", n, ticks()))
	case "steady": // lines until it is stopped, then how many
		note(file, fmt.Sprintf("wrote %d 0", writeLines(1<<40, stop)))
		return
	}
	<-stop
}

const burstLines = 100_000

const (
	floodLine  = "a line of a hundred bytes that says nothing new, as programs write them when anything is the matter\n"
	floodBlock = 20
	floodBytes = 64 << 20
)

func writeLines(most int, stop <-chan os.Signal) (n int) {
	line := []byte("line 00000000 with some more text, as programs write it\n")
	for ; n < most; n++ {
		copy(line[5:], fmt.Sprintf("%08d", n))
		if _, err := os.Stdout.Write(line); err != nil {
			return n
		}
		select {
		case <-stop:
			return n + 1
		default:
		}
	}
	return n
}

func note(file, text string) {
	f, err := os.OpenFile(file, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		fmt.Println(err)
		return
	}
	defer f.Close()
	fmt.Fprintln(f, text)
}

// noted is one line of a child's file.
type noted struct {
	part string
	pid  int
	at   int64
}

func readNotes(file string) (all []noted) {
	b, _ := os.ReadFile(file)
	for line := range strings.Lines(string(b)) {
		f := strings.Fields(line)
		if len(f) != 3 || !strings.HasSuffix(line, "\n") {
			continue
		}
		pid, _ := strconv.Atoi(f[1])
		at, _ := strconv.ParseInt(f[2], 10, 64)
		all = append(all, noted{f[0], pid, at})
	}
	return all
}

func notes(file, part string) (n int) {
	for _, v := range readNotes(file) {
		if v.part == part {
			n++
		}
	}
	return n
}
