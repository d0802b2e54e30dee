package process

import (
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"os"
	"runtime"
	"sync"
	"time"

	"golang.org/x/sys/windows"
)

// markerVar is in the environment of every child, as on the other systems.
const markerVar = "HOST_RUN"

// backend is the Windows Backend. Every run is a Job Object inside one outer job that the system closes,
// and so kills, with this process. Ends are learned from the system's wait threads and from one
// completion port: no thread waits for one child.
type backend struct {
	opt    Options
	nonce  string
	events *queue
	warn   onceWarner
	outer  windows.Handle
	null   windows.Handle // what children read from without a stdin of their own; inheritable
	port   *port
	ctrl   chan struct{} // limits how many console helpers run at once
	server *ctrlServer   // the console helper for more than one event
	quit   chan struct{} // closed by Close: nobody waits for a console helper any more

	mu      sync.Mutex
	runs    map[RunID]*run
	byKey   map[uintptr]*run
	lastKey uintptr
	live    int // runs that are started and not Gone
	closed  bool
	busy    sync.WaitGroup // calls that use the backend's handles; entered only under mu while not closed
	empty   chan struct{}  // non-nil while Close waits: closed when live is 0
}

// run is one started tree. mu is taken before backend.mu.
type run struct {
	id      RunID
	key     uintptr // names the run at the completion port
	tree    bool    // WholeTree
	started chan struct{}
	over    chan struct{} // closed once it is gone
	err     error

	mu      sync.Mutex
	ident   Identity
	who     *identity // nil: as this process
	job     windows.Handle
	process windows.Handle
	stdin   windows.Handle
	outputs [3]*output // by Stream
	exit    *Exit
	gone    bool
	killed  bool
	wait    *wait    // on the main process, later on the first of members
	members []member // processes of the tree beside the main one that are not known to have ended
	retries int
	told    map[string]time.Time // when a limit was last reported
	memory  int64                // the most that a look saw
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
	b := &backend{
		opt: o, nonce: hex.EncodeToString(n[:]), events: newQueue(), warn: onceWarner{warn: o.Warn},
		ctrl: make(chan struct{}, 4+2*runtime.NumCPU()), quit: make(chan struct{}),
		runs: map[RunID]*run{}, byKey: map[uintptr]*run{},
	}
	b.server = newCtrlServer(b.retireHelper)
	// A host that was itself started in a new process group ignores Ctrl-C, and children inherit that.
	setConsoleCtrlHandler(0, false)
	var err error
	if b.outer, err = newJob(outerLimits()); err == nil {
		if b.null, err = openNull(); err == nil {
			b.port, err = newPort(b.portMessage)
		}
	}
	if err != nil {
		b.free()
		return nil, fmt.Errorf("cannot prepare to own processes: %w", err)
	}
	return b, nil
}

// enter begins a call that uses the backend's handles; busy.Done ends it.
func (b *backend) enter() error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.closed {
		return &Error{Kind: ErrOther, Message: "the backend is closed"}
	}
	b.busy.Add(1)
	return nil
}

func (b *backend) Start(id RunID, r Request) (Identity, error) {
	if err := b.enter(); err != nil {
		return Identity{}, err
	}
	defer b.busy.Done()
	b.mu.Lock()
	if old := b.runs[id]; old != nil {
		b.mu.Unlock()
		<-old.started
		return old.ident, old.err
	}
	b.lastKey++
	u := &run{id: id, key: b.lastKey, tree: r.WholeTree, started: make(chan struct{}), over: make(chan struct{})}
	b.runs[id] = u
	b.byKey[u.key] = u
	b.live++
	b.mu.Unlock()

	u.mu.Lock()
	defer u.mu.Unlock()
	if u.err = b.start(u, r); u.err != nil {
		u.free()
		b.forget(u)
		b.dropLive()
	}
	close(u.started)
	return u.ident, u.err
}

func (b *backend) forget(u *run) {
	b.mu.Lock()
	delete(b.runs, u.id)
	delete(b.byKey, u.key)
	b.mu.Unlock()
}

func (b *backend) dropLive() {
	b.mu.Lock()
	b.live--
	b.checkEmpty()
	b.mu.Unlock()
}

// checkEmpty wakes Close once every run is gone. b.mu is held.
func (b *backend) checkEmpty() {
	if b.empty != nil && b.live == 0 {
		close(b.empty)
		b.empty = nil
	}
}

// free closes what the run holds. u.mu is held.
func (u *run) free() {
	u.wait.stop()
	u.wait = nil
	for _, m := range u.members {
		windows.CloseHandle(m.handle)
	}
	for _, h := range []windows.Handle{u.stdin, u.process, u.job} {
		if h != 0 {
			windows.CloseHandle(h)
		}
	}
	u.members, u.stdin, u.process, u.job = nil, 0, 0, 0
	u.who.free()
	u.who = nil
	for _, o := range u.outputs {
		if o != nil {
			o.release()
		}
	}
}

func (b *backend) find(id RunID) (*run, error) {
	b.mu.Lock()
	u := b.runs[id]
	b.mu.Unlock()
	if u != nil {
		<-u.started
		if u.err == nil {
			return u, nil
		}
	}
	return nil, &Error{Kind: ErrNoRun, Message: fmt.Sprintf("there is no run %s", id)}
}

func (b *backend) KillTree(id RunID) error {
	u, err := b.find(id)
	if err != nil {
		return err
	}
	u.mu.Lock()
	defer u.mu.Unlock()
	if u.gone {
		return nil
	}
	u.killed = true
	if err := b.kill(u); err != nil {
		return &Error{Kind: ErrOther, Message: fmt.Sprintf("cannot terminate the job of run %s: %v", id, err)}
	}
	return nil
}

func (b *backend) List() []Run {
	b.mu.Lock()
	runs := make([]*run, 0, len(b.runs))
	for _, u := range b.runs {
		select {
		case <-u.started:
			runs = append(runs, u)
		default: // not there yet, and held by Start
		}
	}
	b.mu.Unlock()
	list := make([]Run, 0, len(runs))
	for _, u := range runs {
		u.mu.Lock()
		if u.ident.PID != 0 {
			list = append(list, Run{ID: u.id, Identity: u.ident, Exit: u.exit, Gone: u.gone})
		}
		u.mu.Unlock()
	}
	return list
}

func (b *backend) Ack(id RunID) {
	u, err := b.find(id)
	if err != nil {
		return
	}
	u.mu.Lock()
	defer u.mu.Unlock()
	if !u.gone {
		return
	}
	b.forget(u)
	u.free()
}

func (b *backend) Events() <-chan Event { return b.events.out }

// closeWait bounds how long Close waits for killed trees: a process inside a driver may not end.
const closeWait = 10 * time.Second

func (b *backend) Close() error {
	b.mu.Lock()
	if b.closed {
		b.mu.Unlock()
		return nil
	}
	b.closed = true
	close(b.quit)
	b.mu.Unlock()
	b.busy.Wait() // what is being started is known afterwards

	b.mu.Lock()
	empty := make(chan struct{})
	b.empty = empty
	var runs []*run
	for _, u := range b.runs {
		runs = append(runs, u)
	}
	b.checkEmpty()
	b.mu.Unlock()
	for _, u := range runs {
		u.mu.Lock()
		if !u.gone {
			u.killed = true
			_ = b.kill(u) // what does not go is told below
		}
		u.mu.Unlock()
	}
	var err error
	select {
	case <-empty:
	case <-time.After(closeWait):
		err = &Error{Kind: ErrOther, Message: "some processes can't be terminated", Hint: "they hang in a driver"}
	}
	for _, u := range runs {
		u.mu.Lock()
		u.free()
		u.mu.Unlock()
	}
	b.free()
	b.events.close()
	return err
}

func (b *backend) free() {
	b.server.idle.Stop()
	b.server.free()
	if b.port != nil {
		b.port.close()
	}
	for _, h := range []windows.Handle{b.null, b.outer} {
		if h != 0 {
			windows.CloseHandle(h)
		}
	}
}
