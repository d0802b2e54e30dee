package process

import (
	"errors"
	"slices"
	"syscall"
	"unsafe"

	"golang.org/x/sys/windows"
)

var (
	user32                = windows.NewLazySystemDLL("user32.dll")
	procPostMessage       = user32.NewProc("PostMessageW")
	procPostThreadMessage = user32.NewProc("PostThreadMessageW")
	procGetWindow         = user32.NewProc("GetWindow")
)

const (
	wmClose = 0x0010
	wmQuit  = 0x0012
	gwOwner = 4
)

// topWindow is one at the top level that no other window owns: a dialog goes with its owner.
type topWindow struct {
	handle uintptr
	pid    uint32
}

// desktop is what closeWindows and quitThreads ask of the desktop of this process.
type desktop interface {
	windows() ([]topWindow, error)
	threads(pids []uint32) map[uint32][]uint32 // by process
	close(w topWindow) error                   // posts WM_CLOSE
	quit(thread uint32) error                  // posts WM_QUIT; an error where the thread takes no messages
}

// closeWindows asks every top-level window of the processes to close, as a click on its cross does. A
// process that takes messages and has no window is asked to quit.
func closeWindows(d desktop, pids []uint32) int {
	all, err := d.windows()
	if err != nil {
		return ctrlGenerate | errnoOf(err)
	}
	posted, code := 0, ctrlNoWindow
	var without []uint32
	for _, pid := range pids {
		own := 0
		for _, w := range all {
			if w.pid != pid {
				continue
			}
			own++
			if err := d.close(w); err != nil {
				code = ctrlGenerate | errnoOf(err)
			} else {
				posted++
			}
		}
		if own == 0 {
			without = append(without, pid)
		}
	}
	if len(without) > 0 && quitThreads(d, without) == 0 || posted > 0 {
		return 0
	}
	return code
}

// quitThreads ends the message loops of the processes: some programs only hide their window at WM_CLOSE.
func quitThreads(d desktop, pids []uint32) int {
	posted := 0
	for _, threads := range d.threads(pids) {
		for _, t := range threads {
			if d.quit(t) == nil {
				posted++
			}
		}
	}
	if posted == 0 {
		return ctrlNoWindow
	}
	return 0
}

// systemDesktop is the desktop of this process.
type systemDesktop struct{}

func (systemDesktop) windows() (all []topWindow, err error) {
	visit := syscall.NewCallback(func(handle, _ uintptr) uintptr {
		var pid uint32
		if _, err := windows.GetWindowThreadProcessId(windows.HWND(handle), &pid); err != nil {
			return 1 // it has just been closed
		}
		if owner, _, _ := procGetWindow.Call(handle, gwOwner); owner == 0 {
			all = append(all, topWindow{handle, pid})
		}
		return 1
	})
	// A desktop without a single window is a failure without a reason, for which EINVAL stands.
	if err := windows.EnumWindows(visit, nil); err != nil && !errors.Is(err, syscall.EINVAL) {
		return nil, err
	}
	return all, nil
}

func (systemDesktop) threads(pids []uint32) map[uint32][]uint32 {
	found := map[uint32][]uint32{}
	snapshot, err := windows.CreateToolhelp32Snapshot(windows.TH32CS_SNAPTHREAD, 0)
	if err != nil {
		return found
	}
	defer windows.CloseHandle(snapshot)
	entry := windows.ThreadEntry32{Size: uint32(unsafe.Sizeof(windows.ThreadEntry32{}))}
	for err := windows.Thread32First(snapshot, &entry); err == nil; err = windows.Thread32Next(snapshot, &entry) {
		if slices.Contains(pids, entry.OwnerProcessID) {
			found[entry.OwnerProcessID] = append(found[entry.OwnerProcessID], entry.ThreadID)
		}
	}
	return found
}

func (systemDesktop) close(w topWindow) error {
	if ok, _, err := procPostMessage.Call(w.handle, wmClose, 0, 0); ok == 0 {
		return err
	}
	return nil
}

func (systemDesktop) quit(thread uint32) error {
	if ok, _, err := procPostThreadMessage.Call(uintptr(thread), wmQuit, 0, 0); ok == 0 {
		return err
	}
	return nil
}
