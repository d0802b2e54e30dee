package process

import (
	"runtime"
	"slices"
	"unsafe"

	"golang.org/x/sys/windows"
)

// procThreadAttributeJobList makes the new process a member of jobs from its first instruction.
const procThreadAttributeJobList = 0x0002000D

// creation is one call of CreateProcess.
type creation struct {
	path, line, dir string
	env             []uint16 // nil: our own
	flags           uint32
	stdin           windows.Handle
	stdout, stderr  windows.Handle
	jobs            []windows.Handle // outer before inner
	token           windows.Token    // 0: as this process
	desktop         *string          // nil: that of this process
}

// create starts the process. The child inherits the three handles and nothing else.
func (c creation) create() (info windows.ProcessInformation, err error) {
	path, err := windows.UTF16PtrFromString(c.path)
	if err != nil {
		return info, err
	}
	line, err := windows.UTF16PtrFromString(c.line)
	if err != nil {
		return info, err
	}
	var dir *uint16
	if c.dir != "" {
		if dir, err = windows.UTF16PtrFromString(c.dir); err != nil {
			return info, err
		}
	}
	attributes, err := windows.NewProcThreadAttributeList(2)
	if err != nil {
		return info, err
	}
	defer attributes.Delete()
	size := unsafe.Sizeof(windows.Handle(0))
	if err := attributes.Update(procThreadAttributeJobList, unsafe.Pointer(&c.jobs[0]), uintptr(len(c.jobs))*size); err != nil {
		return info, err
	}
	handles := []windows.Handle{c.stdin, c.stdout, c.stderr} // each may be named once only
	slices.Sort(handles)
	handles = slices.Compact(handles)
	if err := attributes.Update(windows.PROC_THREAD_ATTRIBUTE_HANDLE_LIST, unsafe.Pointer(&handles[0]), uintptr(len(handles))*size); err != nil {
		return info, err
	}
	si := &windows.StartupInfoEx{ProcThreadAttributeList: attributes.List()}
	si.Cb = uint32(unsafe.Sizeof(*si))
	si.Flags = windows.STARTF_USESTDHANDLES
	si.StdInput, si.StdOutput, si.StdErr = c.stdin, c.stdout, c.stderr
	if c.desktop != nil {
		if si.Desktop, err = windows.UTF16PtrFromString(*c.desktop); err != nil {
			return info, err
		}
	}
	var env *uint16
	if len(c.env) > 0 {
		env = &c.env[0]
	}
	flags := c.flags | windows.EXTENDED_STARTUPINFO_PRESENT | windows.CREATE_UNICODE_ENVIRONMENT
	if c.token != 0 {
		err = windows.CreateProcessAsUser(c.token, path, line, nil, nil, true, flags, env, dir, &si.StartupInfo, &info)
	} else {
		err = windows.CreateProcess(path, line, nil, nil, true, flags, env, dir, &si.StartupInfo, &info)
	}
	runtime.KeepAlive(c.jobs)
	runtime.KeepAlive(handles)
	if err != nil {
		return info, err
	}
	windows.CloseHandle(info.Thread)
	info.Thread = 0
	return info, nil
}

// start creates the run's job and process. u.mu is held; what was made so far is freed by the caller.
func (b *backend) start(u *run, r Request) error {
	if r.Group != "" {
		return &Error{Kind: ErrUnsupported, Message: "a group is for Unix; Windows knows only a user"}
	}
	c := creation{path: r.Path, dir: r.Dir, flags: creationFlags(r), stdin: b.null}
	var err error
	if c.path, c.line, err = commandLine(r); err != nil {
		return err
	}
	if u.who, err = identify(winSecurity{}, r, b.opt.Secret, func(about, m string) { b.warn.say(u.id.Service, about, m) }); err != nil {
		return err
	}
	c.token, c.desktop = u.token(), u.desktop()
	if c.env, err = environment(u.who.environ(r), markerVar+"="+b.nonce+":"+u.id.String()); err != nil {
		return err
	}
	var childEnds []windows.Handle
	defer func() {
		for _, h := range childEnds {
			windows.CloseHandle(h)
		}
	}()
	if r.Stdin {
		if c.stdin, u.stdin, err = stdinPipe(); err != nil {
			return startError(r, err)
		}
		childEnds = append(childEnds, c.stdin)
	} else if r.StdinFile != "" {
		if c.stdin, err = openInput(r.StdinFile); err != nil {
			return inputError(r, err)
		}
		childEnds = append(childEnds, c.stdin)
	}
	if c.stdout, u.outputs[Stdout], err = outputPipe(); err != nil {
		return startError(r, err)
	}
	childEnds = append(childEnds, c.stdout)
	c.stderr = c.stdout
	if r.SplitStderr {
		if c.stderr, u.outputs[Stderr], err = outputPipe(); err != nil {
			return startError(r, err)
		}
		childEnds = append(childEnds, c.stderr)
	}
	if u.job, err = b.limitedJob(u, r); err != nil {
		return startError(r, err)
	}
	if err := reportTo(u.job, b.port.handle, u.key); err != nil {
		return startError(r, err)
	}
	c.jobs = u.jobs(b.outer)
	info, err := c.create()
	if err != nil {
		return startError(r, u.who.startError(err))
	}
	u.process = info.Process
	if u.wait, err = waitFor(u.process, b.post(u.key)); err != nil {
		_ = windows.TerminateJobObject(u.job, killedCode) // to close the job does the same
		return startError(r, err)
	}
	u.ident = Identity{PID: int(info.ProcessId)}
	var created, exited, kernel, user windows.Filetime
	if windows.GetProcessTimes(u.process, &created, &exited, &kernel, &user) == nil {
		u.ident.Created = ticks(created)
	}
	return nil
}
