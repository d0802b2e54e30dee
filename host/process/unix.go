//go:build unix

package process

import (
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"strings"
	"sync"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// markerVar is in the environment of every child, so that what escaped its group can be known as ours.
const markerVar = "HOST_RUN"

// backend is the Unix Backend. A run's process group id equals its main process's PID and stays ours
// until the run is Gone, because the main process is not reaped before (or, without a cgroup, because
// its group has members): signals can't hit a stranger.
type backend struct {
	opt    Options
	nonce  string
	events *queue
	warn   onceWarner
	sys    *system // what differs between Linux and the BSDs
	room   room

	mu     sync.Mutex
	runs   map[RunID]*run
	closed bool
	empty  chan struct{} // non-nil while Close waits: closed when the last run is Gone
}

// run is one started tree. Its fields are guarded by backend.mu, but for those fixed at Start.
type run struct {
	id      RunID
	tree    bool // WholeTree
	ident   Identity
	started chan struct{} // closed when Start is decided
	err     error

	stdin   *os.File
	outputs [3]*output // by Stream

	exit *Exit
	gone bool
	sysRun
}

// New returns the Backend of this system.
func New(o Options) (Backend, error) {
	if o.Warn == nil {
		o.Warn = func(string) {}
	}
	if o.Exe == "" {
		exe, err := os.Executable()
		if err != nil {
			return nil, fmt.Errorf("cannot find the own executable: %w", err)
		}
		o.Exe = exe
	}
	var n [8]byte
	rand.Read(n[:])
	b := &backend{opt: o, nonce: hex.EncodeToString(n[:]), events: newQueue(), warn: onceWarner{warn: o.Warn}, runs: map[RunID]*run{}, room: newRoom()}
	sys, err := newSystem(b)
	if err != nil {
		return nil, err
	}
	b.sys = sys
	return b, nil
}

func (b *backend) Start(id RunID, r Request) (Identity, error) {
	b.mu.Lock()
	if b.closed {
		b.mu.Unlock()
		return Identity{}, &Error{Kind: ErrOther, Message: "the backend is closed"}
	}
	if old := b.runs[id]; old != nil {
		b.mu.Unlock()
		<-old.started
		return old.ident, old.err
	}
	u := &run{id: id, tree: r.WholeTree, started: make(chan struct{})}
	b.runs[id] = u
	b.mu.Unlock()

	err := b.start(u, r)
	if err != nil {
		b.mu.Lock()
		delete(b.runs, id)
		b.checkEmpty()
		b.mu.Unlock()
		u.err = err
	}
	close(u.started)
	return u.ident, u.err
}

func (b *backend) start(u *run, r Request) error {
	if r.RawArgs != "" {
		return &Error{Kind: ErrUnsupported, Message: "raw_args is for Windows", Hint: "use args"}
	}
	cred, err := credential(r.User, r.Group)
	if err != nil {
		return err
	}
	p, attr, err := b.prepare(u, r, cred)
	if err != nil {
		return startError(r, err)
	}
	defer p.closeChild()
	u.stdin, u.outputs[Stdout], u.outputs[Stderr] = p.stdin, p.stdout, p.stderr
	if err := b.sys.spawn(u, r.Path, r.Args, attr, newOrder(r, attr)); err != nil {
		b.sys.abandon(u)
		p.closeParent()
		return startError(r, err)
	}
	b.room.enter()
	defer b.room.leave()
	b.sys.watch(u)
	return nil
}

// prepare makes what a run needs before its fork.
func (b *backend) prepare(u *run, r Request, cred *syscall.Credential) (*pipes, *syscall.ProcAttr, error) {
	b.room.enter()
	defer b.room.leave()
	p, err := newPipes(r)
	if err != nil {
		return nil, nil, err
	}
	attr := &syscall.ProcAttr{
		Dir:   r.Dir,
		Env:   b.environ(u.id, r.Env),
		Files: []uintptr{uintptr(p.childIn), uintptr(p.childOut), uintptr(p.childErr)},
		Sys:   &syscall.SysProcAttr{Setpgid: true, Credential: cred},
	}
	if err := b.sys.prepare(u, r, attr); err != nil {
		p.closeChild()
		p.closeParent()
		return nil, nil, err
	}
	return p, attr, nil
}

// environ adds the mark of a run, in place of that of a host around this one.
func (b *backend) environ(id RunID, env []string) []string {
	out := make([]string, 0, len(env)+1)
	for _, kv := range env {
		if !strings.HasPrefix(kv, markerVar+"=") {
			out = append(out, kv)
		}
	}
	return append(out, markerVar+"="+b.marker(id))
}

func (b *backend) marker(id RunID) string { return b.nonce + ":" + id.String() }

func (b *backend) find(id RunID) (*run, error) {
	b.mu.Lock()
	u := b.runs[id]
	b.mu.Unlock()
	if u == nil {
		return nil, &Error{Kind: ErrNoRun, Message: fmt.Sprintf("there is no run %s", id)}
	}
	<-u.started
	return u, u.err
}

func (b *backend) StopStep(id RunID, do string) error {
	u, err := b.find(id)
	if err != nil {
		return err
	}
	if do == "stdin_close" {
		b.mu.Lock()
		defer b.mu.Unlock()
		if u.stdin != nil {
			u.stdin.Close()
			u.stdin = nil
		}
		return nil
	}
	sig, ok := signalNumber(do)
	if !ok {
		return &Error{Kind: ErrUnsupported, Message: fmt.Sprintf("no signal %q here", do), Hint: "use a name such as SIGTERM"}
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if u.gone {
		return nil
	}
	return signalError(b.sys.signal(u, sig))
}

func (b *backend) KillTree(id RunID) error {
	u, err := b.find(id)
	if err != nil {
		return err
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if u.gone {
		return nil
	}
	return signalError(b.sys.kill(u))
}

func signalError(err error) error {
	if err == nil || errors.Is(err, unix.ESRCH) {
		return nil
	}
	kind := ErrOther
	if errors.Is(err, unix.EPERM) {
		kind = ErrPermission
	}
	return &Error{Kind: kind, Message: "cannot send the signal: " + err.Error()}
}

func (b *backend) List() []Run {
	b.mu.Lock()
	defer b.mu.Unlock()
	list := make([]Run, 0, len(b.runs))
	for _, u := range b.runs {
		if u.ident.PID == 0 {
			continue // Start is not done
		}
		list = append(list, Run{ID: u.id, Identity: u.ident, Exit: u.exit, Gone: u.gone})
	}
	return list
}

func (b *backend) Ack(id RunID) {
	b.mu.Lock()
	u := b.runs[id]
	if u == nil || !u.gone {
		b.mu.Unlock()
		return
	}
	delete(b.runs, id)
	b.mu.Unlock()
	b.sys.release(u)
	for _, o := range u.outputs {
		if o != nil {
			o.release()
		}
	}
}

func (b *backend) Usage(id RunID, full bool) (Usage, error) {
	u, err := b.find(id)
	if err != nil {
		return Usage{}, err
	}
	return b.sys.usage(u, full)
}

func (b *backend) Events() <-chan Event { return b.events.out }

// closeWait bounds how long Close waits for killed trees: a process in uninterruptible sleep never goes.
const closeWait = 10 * time.Second

func (b *backend) Close() error {
	b.mu.Lock()
	if b.closed {
		b.mu.Unlock()
		return nil
	}
	b.closed = true
	b.empty = make(chan struct{})
	for _, u := range b.runs {
		if !u.gone && u.ident.PID != 0 {
			_ = b.sys.kill(u) // what does not go is told below
		}
	}
	b.checkEmpty()
	b.mu.Unlock()
	var err error
	select {
	case <-b.empty:
	case <-time.After(closeWait):
		err = &Error{Kind: ErrOther, Message: "some processes can't be killed", Hint: "they are in an uninterruptible system call"}
	}
	b.sys.close()
	b.events.close()
	return err
}

// checkEmpty wakes Close once every run is gone. b.mu is held.
func (b *backend) checkEmpty() {
	if b.empty == nil {
		return
	}
	for _, u := range b.runs {
		if !u.gone {
			return
		}
	}
	select {
	case <-b.empty:
	default:
		close(b.empty)
	}
}

// ended records the end of the main process. b.mu is held.
func (b *backend) ended(u *run, e Exit) {
	if u.exit != nil {
		return
	}
	u.exit = &e
	if u.stdin != nil {
		u.stdin.Close()
		u.stdin = nil
	}
	b.events.put(Event{Kind: Exited, Run: u.id, Exit: e})
}

// vanished records that nothing of the tree is left. b.mu is held.
func (b *backend) vanished(u *run) {
	if u.gone {
		return
	}
	u.gone = true
	b.events.put(Event{Kind: Gone, Run: u.id, Exit: *u.exit})
	b.checkEmpty()
}

func signalNumber(name string) (syscall.Signal, bool) {
	if !strings.HasPrefix(name, "SIG") {
		name = "SIG" + name
	}
	n := unix.SignalNum(name)
	return n, n != 0
}
