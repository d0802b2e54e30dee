package osservice

import (
	"context"
	"errors"
	"time"

	"github.com/kardianos/service"
	"golang.org/x/sys/windows/svc"
)

// Options of a service.Config beside those of kardianos/service. Theirs for a start type, a delayed start
// and a password are taken too.
const (
	optionDelayed    = "DelayedAutoStart"
	optionPassword   = "Password"
	optionPrivileges = "RequiredPrivileges"
	optionStopBudget = "StopBudget"
)

// New is the service manager of Windows behind the front of kardianos/service. Its own backend can't update
// a service, sets no recovery for an end with an error, and knows neither PRESHUTDOWN nor checkpoints.
func New() (Installer, error) {
	m := &manager{api: system{}}
	service.ChooseSystem(front{m})
	return m, nil
}

// through is a service of the front with a ctx for its calls.
func (m *manager) through(ctx context.Context, c Config) (*fronted, error) {
	s, err := service.New(nil, toFront(c))
	if err != nil {
		return nil, failed("use", c.Name, err)
	}
	f, ok := s.(*fronted)
	if !ok {
		return nil, failed("use", c.Name, errors.New("another service system was chosen"))
	}
	f.ctx, f.m = ctx, m
	return f, nil
}

// Install creates the service, or changes what is different.
func (m *manager) Install(ctx context.Context, c Config) (Result, error) {
	f, err := m.through(ctx, c)
	if err != nil {
		return Result{}, err
	}
	err = f.Install()
	return f.result, err
}

// Uninstall stops the service, deletes it and waits until it is gone.
func (m *manager) Uninstall(ctx context.Context, name string) error {
	return m.call(ctx, name, (*fronted).Uninstall)
}

// Start waits until the service runs, and whether it stays.
func (m *manager) Start(ctx context.Context, name string) error {
	return m.call(ctx, name, (*fronted).Start)
}

// Stop waits until the process of the service is gone.
func (m *manager) Stop(ctx context.Context, name string) error {
	return m.call(ctx, name, (*fronted).Stop)
}

// Status works without administrator rights.
func (m *manager) Status(ctx context.Context, name string) (Status, error) {
	return m.status(ctx, name) // the front knows running and stopped only
}

func (m *manager) call(ctx context.Context, name string, do func(*fronted) error) error {
	f, err := m.through(ctx, Config{Name: name})
	if err != nil {
		return err
	}
	return do(f)
}

// front is this package as a service.System.
type front struct{ m *manager }

func (front) String() string { return "windows-scm" }

func (front) Detect() bool { return true }

// Interactive reports whether no service manager has started this process, which is known by Run alone.
func (front) Interactive() bool { return svc.StatusHandle() == 0 }

func (f front) New(program service.Interface, c *service.Config) (service.Service, error) {
	return &fronted{m: f.m, ctx: context.Background(), program: program, config: fromFront(c)}, nil
}

// fronted is one service as a service.Service.
type fronted struct {
	m       *manager
	ctx     context.Context // the methods of service.Service take none
	program service.Interface
	config  Config
	result  Result
}

// Run runs the program under the service manager until a stop.
func (f *fronted) Run() error {
	return Run(f.ctx, f.config.Name, func(ctx context.Context, s *Service) error {
		if err := f.program.Start(f); err != nil {
			return err
		}
		s.Ready()
		<-ctx.Done()
		return f.program.Stop(f)
	})
}

func (f *fronted) Install() (err error) {
	f.result, err = f.m.install(f.ctx, f.config)
	return err
}

func (f *fronted) Uninstall() error { return f.m.uninstall(f.ctx, f.config.Name) }

func (f *fronted) Start() error { return f.m.start(f.ctx, f.config.Name) }

func (f *fronted) Stop() error { return f.m.stop(f.ctx, f.config.Name) }

func (f *fronted) Restart() error {
	if err := f.Stop(); err != nil {
		return err
	}
	return f.Start()
}

func (f *fronted) Status() (service.Status, error) {
	s, err := f.m.status(f.ctx, f.config.Name)
	switch {
	case err != nil:
		if _, ok := errors.AsType[*NotInstalled](err); ok {
			return service.StatusUnknown, service.ErrNotInstalled
		}
		return service.StatusUnknown, err
	case s.State == Stopped, s.State == Failed:
		return service.StatusStopped, nil
	}
	return service.StatusRunning, nil
}

// Logger and SystemLogger write to standard error: the Event Log of the host is not this package's.
func (f *fronted) Logger(chan<- error) (service.Logger, error) { return service.ConsoleLogger, nil }

func (f *fronted) SystemLogger(errs chan<- error) (service.Logger, error) { return f.Logger(errs) }

func (f *fronted) String() string {
	if f.config.DisplayName != "" {
		return f.config.DisplayName
	}
	return f.config.Name
}

func (f *fronted) Platform() string { return front{}.String() }

func toFront(c Config) *service.Config {
	options := service.KeyValue{
		service.StartType: string(c.Start), optionDelayed: c.Start == StartDelayed, optionPassword: c.Password,
		optionStopBudget: c.StopBudget,
	}
	if c.Privileges != nil {
		options[optionPrivileges] = c.Privileges
	}
	return &service.Config{
		Name: c.Name, DisplayName: c.DisplayName, Description: c.Description, UserName: c.Account,
		Executable: c.Exe, Arguments: c.Args, WorkingDirectory: c.Dir, Dependencies: c.Dependencies, Option: options,
	}
}

func fromFront(c *service.Config) Config {
	out := Config{
		Name: c.Name, DisplayName: c.DisplayName, Description: c.Description, Account: c.UserName,
		Exe: c.Executable, Args: c.Arguments, Dir: c.WorkingDirectory, Dependencies: c.Dependencies,
	}
	start, _ := c.Option[service.StartType].(string)
	out.Start = StartType(start)
	if start == service.ServiceStartAutomatic {
		out.Start = StartAuto
	}
	if delayed, _ := c.Option[optionDelayed].(bool); delayed {
		out.Start = StartDelayed
	}
	out.Password, _ = c.Option[optionPassword].(string)
	out.Privileges, _ = c.Option[optionPrivileges].([]string)
	out.StopBudget, _ = c.Option[optionStopBudget].(time.Duration)
	return out
}
