package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"unsafe"

	"golang.org/x/sys/windows"
)

var getProcessMemoryInfo = windows.NewLazySystemDLL("psapi.dll").NewProc("GetProcessMemoryInfo")

// underWine reports whether the system is Wine.
func underWine() bool {
	return windows.NewLazySystemDLL("ntdll.dll").NewProc("wine_get_version").Find() == nil
}

// memoryOf is the private memory of a process in bytes.
func memoryOf(pid int) (uint64, error) {
	h, err := windows.OpenProcess(windows.PROCESS_QUERY_INFORMATION|windows.PROCESS_VM_READ, false, uint32(pid))
	if err != nil {
		return 0, err
	}
	defer windows.CloseHandle(h)
	var counters struct {
		size, faults                                                                             uint32
		peak, working, peakPaged, paged, peakNonPaged, nonPaged, pagefile, peakPagefile, private uintptr
	}
	counters.size = uint32(unsafe.Sizeof(counters))
	if ok, _, err := getProcessMemoryInfo.Call(uintptr(h), uintptr(unsafe.Pointer(&counters)), uintptr(counters.size)); ok == 0 {
		return 0, err
	}
	return uint64(counters.private), nil
}

// memoryUnderWine asks Linux for the proportional share of every process of the executable: Wine itself
// counts address space only, and does not tell which process of Linux is which.
func memoryUnderWine(exe string) (total uint64, err error) {
	commands, _ := filepath.Glob(`Z:\proc\[0-9]*\cmdline`)
	for _, c := range commands {
		line, _ := os.ReadFile(c)
		first, _, _ := strings.Cut(string(line), "\x00")
		if !strings.EqualFold(first[strings.LastIndexAny(first, `/\`)+1:], exe) {
			continue
		}
		b, err := os.ReadFile(filepath.Join(filepath.Dir(c), "smaps_rollup"))
		if err != nil {
			return 0, err
		}
		for line := range strings.Lines(string(b)) {
			if rest, ok := strings.CutPrefix(line, "Pss:"); ok {
				n, err := strconv.ParseUint(strings.Fields(rest)[0], 10, 64)
				if err != nil {
					return 0, err
				}
				total += n << 10
			}
		}
	}
	if total == 0 {
		return 0, fmt.Errorf("no process of %s below Z:\\proc", exe)
	}
	return total, nil
}
