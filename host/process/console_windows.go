package process

import (
	"fmt"
	"strings"
	"syscall"

	"golang.org/x/sys/windows"
)

// maxCtrlPIDs keeps the helper's command line short.
const maxCtrlPIDs = 2000

// stepOf names the step that a rung of a ladder is here. Names of signals are taken for what they
// mean to a program: SIGTERM asks it to end, and a console program knows Ctrl-C for that.
func stepOf(do string) (string, bool) {
	switch strings.ToUpper(strings.ReplaceAll(do, "-", "_")) {
	case "CTRL_C", "SIGINT", "SIGTERM":
		return "ctrl_c", true
	case "CTRL_BREAK", "SIGQUIT", "SIGBREAK":
		return "ctrl_break", true
	case "CLOSE", "SIGHUP":
		return "close", true
	case "STDIN_CLOSE":
		return "stdin_close", true
	case "WM_QUIT":
		return "wm_quit", true
	case "SIGKILL":
		return "kill", true
	}
	return "", false
}

func (b *backend) StopStep(id RunID, do string) error {
	step, ok := stepOf(do)
	if !ok {
		return &Error{Kind: ErrUnsupported, Message: fmt.Sprintf("no stop step %q on Windows", do), Hint: "use ctrl_c, ctrl_break, close or stdin_close"}
	}
	if step == "kill" {
		return b.KillTree(id)
	}
	u, err := b.find(id)
	if err != nil {
		return err
	}
	u.mu.Lock()
	if u.gone || (u.exit != nil && !u.tree) {
		u.mu.Unlock()
		return nil
	}
	if step == "stdin_close" {
		if u.stdin != 0 {
			windows.CloseHandle(u.stdin)
			u.stdin = 0
		}
		u.mu.Unlock()
		return nil
	}
	// Held, a process keeps its number to itself: the event can't reach a stranger that got it meanwhile.
	held := u.hold(u.tree || step == "close" || step == "wm_quit")
	as := u.helperIdentity()
	u.mu.Unlock()
	defer as.free()
	defer func() {
		for _, m := range held {
			windows.CloseHandle(m.handle)
		}
	}()
	if len(held) == 0 {
		return nil // it is just ending
	}
	pids := make([]uint32, len(held))
	for i, m := range held {
		pids[i] = m.pid
	}
	if err := b.enter(); err != nil {
		return err
	}
	defer b.busy.Done()
	code, err := b.runCtrl(u, as, step, pids)
	if err == nil {
		err = ctrlError(step, id, code)
	} else {
		err = &Error{Kind: ErrOther, Message: fmt.Sprintf("cannot send %s to run %s: %v", step, id, err)}
	}
	if err != nil && u.ended() {
		return nil // meanwhile, and perhaps for another reason
	}
	return err
}

// ended reports whether there is nothing left that a step could reach.
func (u *run) ended() bool {
	u.mu.Lock()
	defer u.mu.Unlock()
	return u.gone || !u.tree && (u.exit != nil || signaled(u.process))
}

// hold opens the main process if it runs and, if all, the other members of the tree. u.mu is held.
func (u *run) hold(all bool) (held []member) {
	if u.exit == nil {
		m := member{pid: uint32(u.ident.PID)}
		self := windows.CurrentProcess()
		if windows.DuplicateHandle(self, u.process, self, &m.handle, 0, false, windows.DUPLICATE_SAME_ACCESS) == nil {
			held = append(held, m)
		}
	}
	if !all {
		return held
	}
	for _, pid := range jobPIDs(u.job) {
		if int(pid) == u.ident.PID || len(held) == maxCtrlPIDs {
			continue
		}
		if m, ok := openMember(u.job, pid); ok {
			if consoleHost(m.handle) {
				windows.CloseHandle(m.handle)
				continue
			}
			held = append(held, m)
		}
	}
	return held
}

// Exit codes of the helper: 0, or ctrlFailed with what failed and the system's error number.
const (
	ctrlFailed   = 1 << 29 // the bit that the system leaves to programs
	ctrlUsage    = ctrlFailed | 1<<20
	ctrlNoWindow = ctrlFailed | 2<<20
	ctrlAttach   = ctrlFailed | 3<<20
	ctrlGenerate = ctrlFailed | 4<<20
	ctrlErrno    = 1<<20 - 1
)

// exitControlC is the exit code of a process that an event ended.
const exitControlC = 0xC000013A

func ctrlError(step string, id RunID, code uint32) error {
	if code == 0 || code == exitControlC { // the event may reach the helper itself: it was sent then
		return nil
	}
	errno := syscall.Errno(code & ctrlErrno)
	switch code &^ ctrlErrno {
	case ctrlNoWindow:
		if step == "wm_quit" {
			return nil // it takes no messages: the window that was closed before has gone
		}
		return &Error{Kind: ErrUnsupported, Message: fmt.Sprintf("run %s has no window to close", id), Hint: "close is for programs with windows; use ctrl_c for console programs"}
	case ctrlAttach:
		if errno == windows.ERROR_INVALID_HANDLE {
			return &Error{Kind: ErrUnsupported, Message: fmt.Sprintf("run %s has no console for %s", id, step), Hint: "use close for programs with windows, or stdin_close"}
		}
		kind := ErrOther
		if errno == windows.ERROR_ACCESS_DENIED {
			kind = ErrPermission
		}
		return &Error{Kind: kind, Message: fmt.Sprintf("cannot reach the console of run %s: %v", id, errno)}
	case ctrlGenerate:
		return &Error{Kind: ErrOther, Message: fmt.Sprintf("cannot send %s to the console of run %s: %v", step, id, errno)}
	}
	return &Error{Kind: ErrOther, Message: fmt.Sprintf("the console helper for %s ended with exit code %#x", step, code),
		Hint: "the main function of the program must call process.HelperMain first"}
}
