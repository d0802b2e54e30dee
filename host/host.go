// Package host is the composition root: it wires the supervisor to the files, the state folder, the
// logs and the control channel, and runs until it is told to end.
package host

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"sync"
	"time"

	"go.uber.org/zap"

	"servicehost/host/control"
	"servicehost/host/eventlog"
	"servicehost/host/files"
	"servicehost/host/forward"
	"servicehost/host/human"
	"servicehost/host/journal"
	"servicehost/host/logs"
	"servicehost/host/metrics"
	"servicehost/host/notify"
	"servicehost/host/process"
	"servicehost/host/state"
	"servicehost/host/supervisor"
	"servicehost/host/thresholds"
	"servicehost/host/upgrade"
	"servicehost/host/usage"
	"servicehost/host/web"
	"servicehost/reload"
	"servicehost/spec"
)

// Options of Run.
type Options struct {
	Files    []string
	Profiles []string
	Set      map[string]string
	// LastGood starts with what last worked when the files are broken, instead of failing.
	LastGood bool
	// Managed is set under an OS service manager; Manager and Controls connect to it and may be nil.
	Managed  bool
	Manager  Manager
	Controls <-chan Control
	// Upgrade is what became of the last upgrade of this executable; nil: nothing is known of one. It is told once.
	Upgrade *upgrade.Note
	// Service is the name of the OS service, where Managed.
	Service string
	Color   bool
	Version string
	// Stderr takes the host's own log in the foreground; nil is os.Stderr.
	Stderr io.Writer
	// ForceStop ends everything at once when it is closed: a second Ctrl-C.
	ForceStop <-chan struct{}
}

// InvalidSpec is the error of Run for a spec that can't be used.
type InvalidSpec struct {
	Problems spec.Problems
	// LastGood is why what worked last could not be run instead; nil where that was not asked for.
	LastGood error
}

func (e *InvalidSpec) Error() string {
	if e.LastGood != nil {
		return e.Problems.Error() + "\n" + e.LastGood.Error()
	}
	return e.Problems.Error()
}

// Host is a running host. Its exported methods are those of control.Host.
type Host struct {
	opt      Options
	exe      string
	files    *spec.Reader
	started  time.Time
	log      *zap.Logger
	level    zap.AtomicLevel
	logFile  *rotator // nil: standard error
	store    *state.Store
	events   *eventlog.Log // nil: the system's log hears nothing
	noEvents bool          // as the spec says
	journal  *journal.Journal
	logs     *logs.Set
	forward  *forward.Hub
	backend  process.Backend
	probes   *probes
	sup      *supervisor.Supervisor
	control  *control.Server
	watcher  *reload.Watcher
	binaries *binaries
	editors  editors
	keeping  sync.Mutex      // the last good spec is being written
	goodKept []*spec.Service // as it was written last; nil: not by this host
	reloads  chan func()
	signals  <-chan Control
	usage    *usage.Sampler
	limits   *thresholds.Set
	dumps    *thresholds.Dumper
	metrics  *metrics.Collector
	web      *web.Server
	notify   *notify.Hub
	trimmer  trimmer
	stirred  chan struct{}   // rung at every event, for the service manager
	ctx      context.Context // ends when the host is to end
	shutdown context.CancelCauseFunc

	specState
}

// lockWait is how long a start waits for the guard of a killed host to end what that left behind.
const lockWait = 30 * time.Second

// errAsked is the cause of an end that was asked for over the control channel.
var errAsked = errors.New("asked to stop")

// Run loads the spec, starts what it names and supervises it until ctx ends or the control channel
// says so; then it stops everything and returns. A spec that can't be used is an *InvalidSpec.
func Run(ctx context.Context, o Options) (err error) {
	if o.Stderr == nil {
		o.Stderr = os.Stderr
	}
	if o.Manager == nil {
		o.Manager = foreground{}
	}
	exe, err := os.Executable()
	if err != nil {
		return fmt.Errorf("cannot find the own executable: %w", err)
	}
	signals, ignore := askingSignals()
	defer ignore()
	h := &Host{opt: o, signals: signals, exe: exe, started: time.Now(), reloads: make(chan func()), stirred: make(chan struct{}, 1), level: zap.NewAtomicLevel()}
	defer func() { h.endEvents(err) }()
	h.files = spec.NewReader(h.loadOptions())
	res := h.load()
	first := res.Spec
	var lastGood bool
	if first == nil {
		if !o.LastGood {
			return &InvalidSpec{Problems: res.Problems}
		}
		first, err = h.loadLastGood(ctx)
		if err != nil {
			return &InvalidSpec{Problems: res.Problems, LastGood: err}
		}
		lastGood = true
	}
	if err = h.open(ctx, first); err != nil {
		return err
	}
	defer h.close()
	ctx, h.shutdown = context.WithCancelCause(ctx)
	defer h.shutdown(nil)
	h.ctx = ctx
	h.begin(ctx, first, res, lastGood)
	defer h.followManager(ctx)()
	<-ctx.Done()
	h.end(ctx)
	return nil
}

// open takes everything that a host holds: the state folder first, since it says that we are the only one.
func (h *Host) open(ctx context.Context, s *spec.Spec) (err error) {
	defer func() {
		if err != nil {
			h.close()
		}
	}()
	h.metrics = h.newMetrics()
	if h.store == nil {
		if h.store, err = h.openStore(ctx, s.Host.StateDir); err != nil {
			return err
		}
	}
	var unfit error
	if h.opt.Managed {
		unfit = files.MakePrivateDir(s.Host.Logs.Dir, 0o750)
	}
	if err = h.openLog(s.Host.Log, s.Host.StateDir); err != nil {
		return err
	}
	h.openEvents(s.Host.EventLog)
	if h.journal, err = journal.Open(filepath.Join(s.Host.StateDir, "journal"), journal.Options{}); err != nil {
		return err
	}
	if unfit != nil { // an operator may want it so
		h.publish(journal.Event{Kind: journal.Warning, Reason: unfit.Error()})
	}
	h.control, err = control.Listen(control.Config{
		Host:  h,
		Entry: control.Entry{Name: s.Host.Name, Version: h.opt.Version, Files: h.opt.Files, StateDir: s.Host.StateDir, LogsDir: s.Host.Logs.Dir},
		Group: s.Host.Control.Group,
		Trouble: func(err error) {
			h.log.Warn("control channel: " + err.Error())
		},
	})
	if err != nil {
		return err
	}
	h.backend, err = process.New(process.Options{
		Exe: h.exe, Guard: true, GuardFiles: []*os.File{h.store.LockFile()}, Subreaper: true,
		Secret: h.secret,
		Warn:   func(m string) { h.publish(journal.Event{Kind: journal.Warning, Reason: m}) },
	})
	if err != nil {
		return err
	}
	h.forward = h.newForward(s.Host)
	h.logs = logs.NewSet(logs.Options{OnEvent: h.onLogEvent, Sink: h.forward.Sink})
	h.logs.Limit(s.Host.Logs)
	h.probes = newProbes(s.Host.StateDir)
	h.limits = h.newThresholds()
	h.sup = supervisor.New(supervisor.Options{
		Probes: h.probes, InForce: h.inForce,
		Backend: h.backend, Logs: h.logs, Store: h.store, Publish: h.publish, Env: os.Environ(), Exe: h.exe, SignedIn: process.SignedIn, Last: h.closeNotify,
	})
	h.usage = h.newUsage()
	h.dumps = h.newDumps(s.Host.StateDir)
	h.notify = h.newNotify(s.Host)
	h.web = h.newWeb(h.metrics)
	h.binaries = newBinaries(h, s.Host.StateDir)
	return nil
}

// openStore opens the state folder. What is in it decides what a host runs: that of a service must be nobody
// else's.
func (h *Host) openStore(ctx context.Context, dir string) (*state.Store, error) {
	if h.opt.Managed {
		if err := files.MakePrivateDir(dir, 0o700); err != nil {
			return nil, err
		}
	}
	ctx, cancel := context.WithTimeout(ctx, lockWait)
	defer cancel()
	store, err := state.OpenWait(ctx, dir)
	if held, ok := errors.AsType[*state.ErrLocked](err); ok && !held.Dead {
		return nil, fmt.Errorf("%w; a second host needs a folder of its own, host.state_dir", err)
	}
	if errors.Is(err, fs.ErrPermission) {
		return nil, fmt.Errorf("%w; host.state_dir can name another folder", err)
	}
	return store, err
}

// begin starts the services, then what may come a moment later: the control channel and the watch.
func (h *Host) begin(ctx context.Context, s *spec.Spec, res spec.Result, lastGood bool) {
	h.publish(journal.Event{Kind: journal.HostStarted, PID: os.Getpid(), Reason: "version " + h.opt.Version + ", " + s.Path, Details: startDetails(s.Path, h.journalDir())})
	go h.noteAlive(ctx)
	h.editors.edited(res.Inputs, false)
	h.tellUpgrade()
	for _, w := range res.Warnings {
		h.publish(journal.Event{Kind: journal.Warning, Reason: w.String()})
	}
	h.warnOfSystem(s)
	if lastGood {
		h.setLastGood(s, res)
	}
	h.forward.Apply(s.Host.LogTargets)
	h.handOut(ctx, s, s, nil, false)
	h.notify.Apply(s.Notify) // with a supervisor that can run programs; nothing is missed
	if err := h.control.Serve(); err != nil {
		h.log.Error(err.Error())
	}
	h.web.Apply(s.Host.HTTP)
	h.opt.Manager.Budget(h.stopBudget())
	h.opt.Manager.Ready()
	h.watch(ctx, res.Inputs)
	go h.reloadLoop(ctx)
	if h.opt.ForceStop != nil {
		go func() {
			select {
			case <-h.opt.ForceStop:
				h.sup.Force("told twice to end")
			case <-h.ended():
			}
		}()
	}
}

// end stops every service within the budget of the spec.
func (h *Host) end(ctx context.Context) {
	why := "told by a signal"
	if errors.Is(context.Cause(ctx), errAsked) {
		why = context.Cause(ctx).Error()
	}
	h.publish(journal.Event{Kind: journal.HostStopping, Reason: why})
	h.setStopping()
	h.opt.Manager.Stopping(h.stopBudget())
	h.stir()
	force, cancel := context.WithCancel(context.Background())
	defer cancel()
	if h.opt.ForceStop != nil {
		go func() {
			select {
			case <-h.opt.ForceStop:
				cancel()
			case <-force.Done():
			}
		}()
	}
	killed := h.sup.Shutdown(force, h.budget())
	reason := fmt.Sprintf("after %s", age(time.Since(h.started)))
	if killed > 0 {
		reason += fmt.Sprintf(", %s had to be killed", human.Count(killed, "service"))
	}
	h.publish(journal.Event{Kind: journal.HostStopped, Reason: reason})
}

// close gives back whatever open took, in reverse order.
func (h *Host) close() {
	h.trimmer.stop()
	if h.notify != nil {
		h.closeNotify()
	}
	if h.binaries != nil {
		h.binaries.wait()
	}
	if h.web != nil {
		h.web.Close()
	}
	if h.control != nil {
		h.control.Close()
	}
	if h.probes != nil {
		h.probes.set.Close()
	}
	h.closeThresholds()
	if h.usage != nil {
		h.usage.Close()
	}
	if h.backend != nil {
		if err := h.backend.Close(); err != nil {
			h.log.Error(err.Error())
		}
	}
	if h.logs != nil {
		h.logs.Close()
	}
	if h.forward != nil {
		h.closeForward()
	}
	if h.journal != nil {
		h.journal.Close()
	}
	if h.log != nil {
		h.log.Sync()
	}
	if h.logFile != nil {
		h.logFile.Close()
	}
	if h.store != nil {
		h.store.Close()
	}
}
