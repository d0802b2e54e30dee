package main

import (
	"debug/pe"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"unsafe"

	"golang.org/x/sys/windows"
)

var queryWorkingSet = windows.NewLazySystemDLL("psapi.dll").NewProc("QueryWorkingSet")

// underWine reports whether the system is Wine.
func underWine() bool {
	return windows.NewLazySystemDLL("ntdll.dll").NewProc("wine_get_version").Find() == nil
}

// usage is the memory of some processes. Image and threads are known under Wine only.
type usage struct {
	bytes, image       uint64 // image is the part of bytes that is the program file
	processes, threads int
}

func (u *usage) add(v usage) {
	u.bytes += v.bytes
	u.image += v.image
	u.processes += v.processes
	u.threads += v.threads
}

func (u usage) String() string {
	text := fmt.Sprintf("%.1f MiB in %d processes", float64(u.bytes)/(1<<20), u.processes)
	if u.threads > 0 {
		text += fmt.Sprintf(" (%.1f MiB are the program file, %d threads)", float64(u.image)/(1<<20), u.threads)
	}
	return text
}

// memoryOf is the private part of a process's working set, as the Task Manager shows it. Private bytes would
// count what was only reserved: the random numbers of Go 1.26 reserve 32 MiB that are never touched.
func memoryOf(pid int) (usage, error) {
	h, err := windows.OpenProcess(windows.PROCESS_QUERY_INFORMATION|windows.PROCESS_VM_READ, false, uint32(pid))
	if err != nil {
		return usage{}, err
	}
	defer windows.CloseHandle(h)
	const shareable = 1 << 8 // https://learn.microsoft.com/windows/win32/api/psapi/ns-psapi-psapi_working_set_block
	for room := 1 << 16; ; room *= 2 {
		pages := make([]uintptr, room) // their number, and one value for each
		ok, _, err := queryWorkingSet.Call(uintptr(h), uintptr(unsafe.Pointer(&pages[0])), uintptr(room)*unsafe.Sizeof(pages[0]))
		if ok == 0 {
			if errors.Is(err, windows.ERROR_BAD_LENGTH) && room < 1<<24 {
				continue
			}
			return usage{}, fmt.Errorf("QueryWorkingSet: %w", err)
		}
		u := usage{processes: 1}
		for _, page := range pages[1 : 1+pages[0]] {
			if page&shareable == 0 {
				u.bytes += uint64(os.Getpagesize())
			}
		}
		return u, nil
	}
}

// memoryUnderWine asks Linux for the proportional share of every process of the executable: Wine itself
// counts address space only, and does not tell which process of Linux is which.
func memoryUnderWine(exe string) (total usage, err error) {
	begin, end, err := imageOf(exe)
	if err != nil {
		return usage{}, err
	}
	commands, _ := filepath.Glob(`Z:\proc\[0-9]*\cmdline`)
	for _, c := range commands {
		line, _ := os.ReadFile(c)
		first, _, _ := strings.Cut(string(line), "\x00")
		if !strings.EqualFold(first, exe) {
			continue
		}
		dir := filepath.Dir(c)
		maps, err := os.ReadFile(filepath.Join(dir, "smaps"))
		if err != nil {
			return usage{}, err
		}
		tasks, err := os.ReadDir(filepath.Join(dir, "task"))
		if err != nil {
			return usage{}, err
		}
		u := usage{processes: 1, threads: len(tasks)}
		inImage := false
		for line := range strings.Lines(string(maps)) {
			if from, _, ok := strings.Cut(line, "-"); ok {
				if at, err := strconv.ParseUint(from, 16, 64); err == nil { // the head of a mapping
					inImage = begin <= at && at < end
				}
			}
			if rest, ok := strings.CutPrefix(line, "Pss:"); ok {
				kib, err := strconv.ParseUint(strings.Fields(rest)[0], 10, 64)
				if err != nil {
					return usage{}, err
				}
				u.bytes += kib << 10
				if inImage {
					u.image += kib << 10
				}
			}
		}
		total.add(u)
	}
	if total.processes == 0 {
		return usage{}, fmt.Errorf("no process of %s below Z:\\proc", exe)
	}
	return total, nil
}

// imageOf is where Wine 8 puts a program: where it was linked to be.
func imageOf(exe string) (begin, end uint64, err error) {
	f, err := pe.Open(exe)
	if err != nil {
		return 0, 0, err
	}
	defer f.Close()
	h, ok := f.OptionalHeader.(*pe.OptionalHeader64)
	if !ok {
		return 0, 0, fmt.Errorf("%s is no 64-bit program", exe)
	}
	return h.ImageBase, h.ImageBase + uint64(h.SizeOfImage), nil
}
