package process

import (
	"sync"
	"syscall"
	"unsafe"

	"golang.org/x/sys/windows"
)

var (
	kernel32                        = windows.NewLazySystemDLL("kernel32.dll")
	procRegisterWaitForSingleObject = kernel32.NewProc("RegisterWaitForSingleObject")
	procUnregisterWaitEx            = kernel32.NewProc("UnregisterWaitEx")
)

// Flags of RegisterWaitForSingleObject: called in the wait thread, once.
const (
	wtExecuteInWaitThread = 0x04
	wtExecuteOnlyOnce     = 0x08
)

// wait is one registered wait for a process. The system's wait threads hold many each.
type wait struct {
	object windows.Handle
	handle windows.Handle
	number uintptr
	fire   func()
}

// waits finds a wait by the number that the system hands to the callback: a Go pointer must not go there.
var waits struct {
	sync.Mutex
	last     uintptr
	m        map[uintptr]*wait
	callback uintptr // one for the life of the program: callbacks are never freed
}

// waitFor calls fire once, on a thread of the system, when object is signaled. fire must not block.
// object must stay open until stop.
func waitFor(object windows.Handle, fire func()) (*wait, error) {
	w := &wait{object: object, fire: fire}
	waits.Lock()
	if waits.callback == 0 {
		waits.callback = syscall.NewCallback(waitOver)
		waits.m = map[uintptr]*wait{}
	}
	waits.last++
	w.number = waits.last
	waits.m[w.number] = w
	callback := waits.callback
	waits.Unlock()
	ok, _, err := procRegisterWaitForSingleObject.Call(uintptr(unsafe.Pointer(&w.handle)), uintptr(object),
		callback, w.number, windows.INFINITE, wtExecuteInWaitThread|wtExecuteOnlyOnce)
	if ok == 0 {
		w.forget()
		return nil, err
	}
	return w, nil
}

func waitOver(number, timedOut uintptr) uintptr {
	waits.Lock()
	w := waits.m[number]
	delete(waits.m, number)
	waits.Unlock()
	if w != nil {
		w.fire()
	}
	return 0
}

func (w *wait) forget() {
	waits.Lock()
	delete(waits.m, w.number)
	waits.Unlock()
}

// stop frees the wait, over or not, and returns when fire is not running: the object may be closed then.
// Nil is allowed.
func (w *wait) stop() {
	if w == nil {
		return
	}
	w.forget()
	procUnregisterWaitEx.Call(uintptr(w.handle), uintptr(windows.InvalidHandle))
}
