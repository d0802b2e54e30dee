package thresholds

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"syscall"

	"golang.org/x/sys/windows"

	"servicehost/host/files"
)

// nativeKind is the end of the name of a native dump.
const nativeKind = ".dmp"

// helperDump is the hidden first argument by which the executable writes a process for another one of itself: what
// reads broken processes may break, and must not take the host along.
const helperDump = "__dump"

// native has a helper write the process, which stands still meanwhile, into a file that is there.
func (d *Dumper) native(ctx context.Context, _ *os.Root, name string, pid int) error {
	exe, err := os.Executable()
	if err != nil {
		return err
	}
	return d.run(ctx, []string{exe, helperDump, strconv.Itoa(pid), filepath.Join(d.dir, name)})
}

// CanDump says what keeps this system from native dumps: nothing.
func CanDump() error { return nil }

// HelperMain writes a dump if args (without the program name) ask for one, and reports whether they did, with the
// exit code. Call it first thing in main.
func HelperMain(args []string) (handled bool, code int) {
	if len(args) != 3 || args[0] != helperDump {
		return false, 0
	}
	pid, err := strconv.ParseUint(args[1], 10, 32)
	if err == nil {
		err = writeDump(uint32(pid), args[2], dumpParts)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return true, 1
	}
	return true, 0
}

// The parts of a dump: all memory with what it is, handles, threads and unloaded modules. Memory that can't be read is
// left out. https://learn.microsoft.com/windows/win32/api/minidumpapiset/ne-minidumpapiset-minidump_type
const (
	miniDumpWithFullMemory                  = 0x00000002
	miniDumpWithHandleData                  = 0x00000004
	miniDumpWithUnloadedModules             = 0x00000020
	miniDumpWithFullMemoryInfo              = 0x00000800
	miniDumpWithThreadInfo                  = 0x00001000
	miniDumpIgnoreInaccessibleMemory        = 0x00020000
	dumpParts                               = miniDumpWithFullMemory | miniDumpWithHandleData | miniDumpWithUnloadedModules | miniDumpWithFullMemoryInfo | miniDumpWithThreadInfo | miniDumpIgnoreInaccessibleMemory
	dumpAccess                       uint32 = windows.PROCESS_QUERY_INFORMATION | windows.PROCESS_VM_READ | windows.PROCESS_DUP_HANDLE
)

var miniDumpWriteDump = windows.NewLazySystemDLL("dbghelp.dll").NewProc("MiniDumpWriteDump")

// writeDump writes these parts of another process into a file that is there and empty.
// https://learn.microsoft.com/windows/win32/api/minidumpapiset/nf-minidumpapiset-minidumpwritedump
func writeDump(pid uint32, path string, parts uintptr) error {
	if err := miniDumpWriteDump.Find(); err != nil {
		return fmt.Errorf("dbghelp.dll can't be used: %w", err)
	}
	h, err := windows.OpenProcess(dumpAccess, false, pid)
	if err != nil {
		return fmt.Errorf("process %d can't be opened: %w", pid, err)
	}
	defer windows.CloseHandle(h)
	name, err := windows.UTF16PtrFromString(files.Long(path))
	if err != nil {
		return err
	}
	// OPEN_EXISTING and not through a link: the file was made by who asks.
	f, err := windows.CreateFile(name, windows.GENERIC_READ|windows.GENERIC_WRITE, 0, nil, windows.OPEN_EXISTING, windows.FILE_ATTRIBUTE_NORMAL|windows.FILE_FLAG_OPEN_REPARSE_POINT, 0)
	if err != nil {
		return &os.PathError{Op: "open", Path: path, Err: err}
	}
	defer windows.CloseHandle(f)
	if ok, _, err := miniDumpWriteDump.Call(uintptr(h), uintptr(pid), uintptr(f), parts, 0, 0, 0); ok == 0 {
		return fmt.Errorf("process %d can't be written: %w", pid, hresult(err))
	}
	return nil
}

// hresult is the error behind the HRESULT that this function leaves as the last error.
func hresult(err error) error {
	const facilityWin32 = 0x8007_0000
	if n, ok := err.(syscall.Errno); ok && uint32(n)&0xffff_0000 == facilityWin32 {
		return syscall.Errno(uint32(n) & 0xffff)
	}
	return err
}
