package process

import (
	"fmt"
	"os"
	"strconv"
	"time"
	"unicode/utf16"

	"golang.org/x/sys/windows"

	"servicehost/host/human"
)

// ctrlWait bounds how long a step waits for its helper. A busy machine takes a tenth of a second.
const ctrlWait = 10 * time.Second

// helperIdentity is as whom and where a console helper runs: who is somebody else may not attach to the
// console of the run, and sees other windows. The zero value is the host itself.
type helperIdentity struct {
	token   windows.Token
	desktop *string
	session bool // another one than that of the host
}

// helperIdentity copies the identity of the run, which may be freed while the helper is started. u.mu is held.
func (u *run) helperIdentity() (as helperIdentity) {
	token := u.token()
	if token == 0 {
		return as
	}
	self := windows.CurrentProcess()
	if windows.DuplicateHandle(self, windows.Handle(token), self, (*windows.Handle)(&as.token), 0, false, windows.DUPLICATE_SAME_ACCESS) == nil {
		as.desktop, as.session = u.desktop(), u.who.session
	}
	return as
}

func (as helperIdentity) free() {
	if as.token != 0 {
		as.token.Close()
	}
}

// runCtrl sends a console event or closes windows from a helper process. A process has one console: to
// reach that of a child, the host would have to leave its own, and with it lose its own handlers.
// It ends when the run does.
func (b *backend) runCtrl(u *run, as helperIdentity, step string, pids []uint32) (code uint32, err error) {
	if as.token == 0 && (step == "ctrl_c" || step == "ctrl_break") {
		if code, asked, err := b.askHelper(u, step, pids); asked {
			return code, err
		}
	}
	select {
	case b.ctrl <- struct{}{}:
		defer func() { <-b.ctrl }()
	case <-u.over:
		return 0, nil
	case <-b.quit:
		return 0, os.ErrClosed
	}
	args := []string{"--event", step}
	for _, pid := range pids {
		args = append(args, "--pid", strconv.FormatUint(uint64(pid), 10))
	}
	c := b.helper(args...)
	c.jobs = []windows.Handle{b.outer}
	if as.session { // all members of a job are in one session, and those of the run's own would be counted
		job, err := newJob(outerLimits())
		if err != nil {
			return 0, err
		}
		defer windows.CloseHandle(job)
		c.jobs[0] = job
	}
	c.token, c.desktop = as.token, as.desktop
	info, err := c.create()
	if err != nil && as.token != 0 { // the account may be kept from running this program
		c.token, c.desktop, c.jobs = 0, nil, []windows.Handle{b.outer}
		info, err = c.create()
	}
	if err != nil {
		return 0, fmt.Errorf("cannot run the console helper %s: %w", human.Path(b.opt.Exe), err)
	}
	defer windows.CloseHandle(info.Process)
	// Where it is ended below and that fails, it has ended or it goes with the outer job.
	done := make(chan struct{})
	w, err := waitFor(info.Process, func() { close(done) })
	if err != nil {
		_ = windows.TerminateProcess(info.Process, killedCode)
		return 0, err
	}
	defer w.stop()
	timer := time.NewTimer(ctrlWait)
	defer timer.Stop()
	select {
	case <-done:
	case <-timer.C:
		_ = windows.TerminateProcess(info.Process, killedCode)
		return 0, fmt.Errorf("the console helper did not answer within %v", ctrlWait)
	case <-u.over:
		_ = windows.TerminateProcess(info.Process, killedCode)
		return 0, nil
	case <-b.quit:
		_ = windows.TerminateProcess(info.Process, killedCode)
		return 0, os.ErrClosed
	}
	err = windows.GetExitCodeProcess(info.Process, &code)
	return code, err
}

// helper is the start of a console helper. It gets no more of the environment than it needs: the account
// that it runs as may read it.
func (b *backend) helper(args ...string) creation {
	line := windows.EscapeArg(b.opt.Exe) + " " + helperCtrl
	for _, a := range args {
		line += " " + a
	}
	c := creation{
		path: b.opt.Exe, line: line, flags: windows.DETACHED_PROCESS,
		stdin: b.null, stdout: b.null, stderr: b.null,
	}
	if dir, err := windows.GetSystemDirectory(); err == nil { // every account may enter it
		c.dir = dir
	}
	for _, name := range []string{"SystemDrive", "SystemRoot", "windir"} { // sorted, as the system wants them
		c.env = append(c.env, utf16.Encode([]rune(name+"="+os.Getenv(name)))...)
		c.env = append(c.env, 0)
	}
	c.env = append(c.env, 0)
	return c
}
