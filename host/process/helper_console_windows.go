package process

import (
	"slices"
	"sync"
	"syscall"
	"unsafe"

	"golang.org/x/sys/windows"
)

var (
	procAttachConsole         = kernel32.NewProc("AttachConsole")
	procFreeConsole           = kernel32.NewProc("FreeConsole")
	procSetConsoleCtrlHandler = kernel32.NewProc("SetConsoleCtrlHandler")
	procGetConsoleProcessList = kernel32.NewProc("GetConsoleProcessList")
)

const (
	ctrlC     = windows.CTRL_C_EVENT
	ctrlBreak = windows.CTRL_BREAK_EVENT
)

// console is what sendConsoleEvent asks of the system. It is a seam because Wine 8 knows no Ctrl-Break.
type console interface {
	free() // leaves the console of this process, if there is one
	attach(pid uint32) error
	processes() []uint32
	ignoreCtrlC() // in this process, and in what it starts
	takeEvents()  // makes a handler answer every event, which else would end this process
	generate(event, group uint32) error
}

// sendConsoleEvent sends the event to everything in the consoles of the processes, to each console once.
// One console that was reached is enough; otherwise the result says what failed last.
func sendConsoleEvent(c console, event uint32, pids []uint32) int {
	// Early: the setting takes a moment to have an effect on some versions of the system.
	c.ignoreCtrlC()
	c.free()
	var reached []uint32
	var sent bool
	code := 0
	for _, pid := range pids {
		if slices.Contains(reached, pid) {
			continue
		}
		if err := c.attach(pid); err != nil {
			code = ctrlAttach | errnoOf(err)
			continue
		}
		// Attaching has reset both: https://learn.microsoft.com/windows/console/setconsolectrlhandler
		c.ignoreCtrlC()
		c.takeEvents()
		reached = append(reached, c.processes()...)
		// Group 0 is everything in the console. Ctrl-C can't be sent to one group only.
		if err := c.generate(event, 0); err != nil {
			code = ctrlGenerate | errnoOf(err)
		} else {
			sent = true
		}
		c.free()
	}
	if sent {
		return 0
	}
	return code
}

// systemConsole is the console of this process.
type systemConsole struct{}

func (systemConsole) free() { procFreeConsole.Call() }

func (systemConsole) attach(pid uint32) error {
	if ok, _, err := procAttachConsole.Call(uintptr(pid)); ok == 0 {
		return err
	}
	return nil
}

func (systemConsole) processes() []uint32 {
	for room := 64; ; room *= 4 {
		list := make([]uint32, room)
		n, _, _ := procGetConsoleProcessList.Call(uintptr(unsafe.Pointer(&list[0])), uintptr(room))
		if int(n) <= room {
			return list[:n]
		}
	}
}

func (systemConsole) ignoreCtrlC() { setConsoleCtrlHandler(0, true) }

// survive is made once: callbacks are never freed.
var survive = sync.OnceValue(func() uintptr { return syscall.NewCallback(func(uintptr) uintptr { return 1 }) })

func (systemConsole) takeEvents() { setConsoleCtrlHandler(survive(), true) }

func (systemConsole) generate(event, group uint32) error {
	return windows.GenerateConsoleCtrlEvent(event, group)
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
