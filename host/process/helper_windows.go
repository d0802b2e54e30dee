package process

import (
	"errors"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"unsafe"

	"golang.org/x/sys/windows"
)

var (
	user32                    = windows.NewLazySystemDLL("user32.dll")
	procAttachConsole         = kernel32.NewProc("AttachConsole")
	procFreeConsole           = kernel32.NewProc("FreeConsole")
	procSetConsoleCtrlHandler = kernel32.NewProc("SetConsoleCtrlHandler")
	procGetConsoleProcessList = kernel32.NewProc("GetConsoleProcessList")
	procPostMessage           = user32.NewProc("PostMessageW")
	procGetWindow             = user32.NewProc("GetWindow")
)

// helperMain serves "__ctrl --event ctrl_c|ctrl_break|close --pid N [--pid M ...]" in a process of its own,
// whose console, if any, nobody needs.
func helperMain(args []string) (bool, int) {
	if args[0] != helperCtrl {
		return false, 0
	}
	var event string
	var pids []uint32
	for i := 1; i < len(args); i++ {
		name, value, joined := strings.Cut(args[i], "=")
		if !joined {
			if i++; i == len(args) {
				return true, ctrlUsage
			}
			value = args[i]
		}
		switch name {
		case "--event":
			event = value
		case "--pid":
			pid, err := strconv.ParseUint(value, 10, 32)
			if err != nil {
				return true, ctrlUsage
			}
			pids = append(pids, uint32(pid))
		default:
			return true, ctrlUsage
		}
	}
	if len(pids) == 0 {
		return true, ctrlUsage
	}
	switch event {
	case "ctrl_c":
		return true, sendConsoleEvent(windows.CTRL_C_EVENT, pids)
	case "ctrl_break":
		return true, sendConsoleEvent(windows.CTRL_BREAK_EVENT, pids)
	case "close":
		return true, closeWindows(pids)
	}
	return true, ctrlUsage
}

// sendConsoleEvent sends the event to everything in the consoles of the processes, to each console once.
func sendConsoleEvent(event uint32, pids []uint32) int {
	// Early: the setting takes a moment to have an effect on some versions of the system.
	setConsoleCtrlHandler(0, true)
	procFreeConsole.Call()
	survive := syscall.NewCallback(func(uintptr) uintptr { return 1 })
	var reached []uint32
	var sent bool
	code := 0
	for _, pid := range pids {
		if slices.Contains(reached, pid) {
			continue
		}
		if ok, _, err := procAttachConsole.Call(uintptr(pid)); ok == 0 {
			code = ctrlAttach | errnoOf(err)
			continue
		}
		// Attaching has reset the handlers. The first call covers Ctrl-C, the second the rest.
		setConsoleCtrlHandler(0, true)
		setConsoleCtrlHandler(survive, true)
		reached = append(reached, consoleProcesses()...)
		// Group 0 is everything in the console. Ctrl-C can't be sent to one group only.
		if err := windows.GenerateConsoleCtrlEvent(event, 0); err != nil {
			code = ctrlGenerate | errnoOf(err)
		} else {
			sent = true
		}
		procFreeConsole.Call()
	}
	if sent {
		return 0
	}
	return code
}

// setConsoleCtrlHandler adds or removes a handler; handler 0 sets whether this process, and children
// that it starts, ignore Ctrl-C.
func setConsoleCtrlHandler(handler uintptr, add bool) {
	var on uintptr
	if add {
		on = 1
	}
	procSetConsoleCtrlHandler.Call(handler, on)
}

// consoleProcesses lists the processes in the console of this process.
func consoleProcesses() []uint32 {
	for room := 64; ; room *= 4 {
		list := make([]uint32, room)
		n, _, _ := procGetConsoleProcessList.Call(uintptr(unsafe.Pointer(&list[0])), uintptr(room))
		if int(n) <= room {
			return list[:n]
		}
	}
}

const (
	wmClose = 0x0010
	gwOwner = 4
)

// closeWindows asks every top-level window of the processes to close, as a click on its cross does.
func closeWindows(pids []uint32) int {
	wanted := make(map[uint32]bool, len(pids))
	for _, pid := range pids {
		wanted[pid] = true
	}
	posted, code := 0, 0
	visit := syscall.NewCallback(func(window, _ uintptr) uintptr {
		var pid uint32
		if _, err := windows.GetWindowThreadProcessId(windows.HWND(window), &pid); err != nil || !wanted[pid] {
			return 1
		}
		if owner, _, _ := procGetWindow.Call(window, gwOwner); owner != 0 {
			return 1 // a dialog goes with its owner
		}
		if ok, _, err := procPostMessage.Call(window, wmClose, 0, 0); ok == 0 {
			code = ctrlGenerate | errnoOf(err)
		} else {
			posted++
		}
		return 1
	})
	if err := windows.EnumWindows(visit, nil); err != nil && posted == 0 && code == 0 {
		if errno := errnoOf(err); errno != 0 {
			return ctrlGenerate | errno
		}
	}
	if posted > 0 {
		return 0
	}
	if code != 0 {
		return code
	}
	return ctrlNoWindow
}

func errnoOf(err error) int {
	var errno syscall.Errno
	errors.As(err, &errno)
	return int(errno) & ctrlErrno
}
