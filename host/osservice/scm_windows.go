package osservice

import (
	"errors"
	"unsafe"

	"golang.org/x/sys/windows"
)

// scm is what this package asks of the service control manager: one method per call of its API, with the
// structures that the call takes, so that a test sees exactly what is requested.
type scm interface {
	manager(access uint32) (windows.Handle, error)
	create(manager windows.Handle, name string, c rawConfig) (windows.Handle, error)
	open(manager windows.Handle, name string, access uint32) (windows.Handle, error)
	close(windows.Handle)

	change(service windows.Handle, c rawConfig) error
	change2(service windows.Handle, level uint32, info unsafe.Pointer) error
	query(service windows.Handle) (basics, error)
	// query2 returns a structure of that level, with what it points to behind it.
	query2(service windows.Handle, level uint32) ([]byte, error)

	start(service windows.Handle) error
	control(service windows.Handle, code uint32) error
	status(service windows.Handle) (windows.SERVICE_STATUS_PROCESS, error)
	// gone reports whether no process has this id.
	gone(pid uint32) bool
	dependents(service windows.Handle) ([]string, error)
	remove(service windows.Handle) error

	// logonRight gives an account the right to log on as a service.
	logonRight(account string) error
	computer() string
}

// rawConfig is what CreateService and ChangeServiceConfig take. To the latter SERVICE_NO_CHANGE and nil mean
// "as it is", and an empty string "none".
type rawConfig struct {
	kind, start, errorControl                      uint32
	path, dependencies, account, password, display *uint16
}

// basics is what QueryServiceConfig tells.
type basics struct {
	kind, start, errorControl uint32
	path, account, display    string
	dependencies              []string
}

// system is the real service control manager. x/sys' mgr is not used: it opens everything with all rights,
// can't clear a list, and deletes a new service when a system lacks one of the optional parts.
type system struct{}

func (system) manager(access uint32) (windows.Handle, error) {
	return windows.OpenSCManager(nil, nil, access)
}

func (system) create(manager windows.Handle, name string, c rawConfig) (windows.Handle, error) {
	n, err := windows.UTF16PtrFromString(name)
	if err != nil {
		return 0, err
	}
	return windows.CreateService(manager, n, c.display, windows.SERVICE_ALL_ACCESS, c.kind, c.start, c.errorControl,
		c.path, nil, nil, c.dependencies, c.account, c.password)
}

func (system) open(manager windows.Handle, name string, access uint32) (windows.Handle, error) {
	n, err := windows.UTF16PtrFromString(name)
	if err != nil {
		return 0, err
	}
	return windows.OpenService(manager, n, access)
}

func (system) close(h windows.Handle) { _ = windows.CloseServiceHandle(h) }

func (system) change(service windows.Handle, c rawConfig) error {
	return windows.ChangeServiceConfig(service, c.kind, c.start, c.errorControl, c.path, nil, nil,
		c.dependencies, c.account, c.password, c.display)
}

func (system) change2(service windows.Handle, level uint32, info unsafe.Pointer) error {
	return windows.ChangeServiceConfig2(service, level, (*byte)(info))
}

func (system) query(service windows.Handle) (basics, error) {
	b, err := grow(func(b []byte, needed *uint32) error {
		return windows.QueryServiceConfig(service, (*windows.QUERY_SERVICE_CONFIG)(unsafe.Pointer(&b[0])), uint32(len(b)), needed)
	})
	if err != nil {
		return basics{}, err
	}
	c := (*windows.QUERY_SERVICE_CONFIG)(unsafe.Pointer(&b[0]))
	return basics{
		kind: c.ServiceType, start: c.StartType, errorControl: c.ErrorControl,
		path:         windows.UTF16PtrToString(c.BinaryPathName),
		account:      windows.UTF16PtrToString(c.ServiceStartName),
		display:      windows.UTF16PtrToString(c.DisplayName),
		dependencies: fromMultiString(c.Dependencies),
	}, nil
}

func (system) query2(service windows.Handle, level uint32) ([]byte, error) {
	return grow(func(b []byte, needed *uint32) error {
		return windows.QueryServiceConfig2(service, level, &b[0], uint32(len(b)), needed)
	})
}

func (system) start(service windows.Handle) error { return windows.StartService(service, 0, nil) }

func (system) control(service windows.Handle, code uint32) error {
	var s windows.SERVICE_STATUS
	return windows.ControlService(service, code, &s)
}

func (system) status(service windows.Handle) (s windows.SERVICE_STATUS_PROCESS, err error) {
	var needed uint32
	err = windows.QueryServiceStatusEx(service, windows.SC_STATUS_PROCESS_INFO,
		(*byte)(unsafe.Pointer(&s)), uint32(unsafe.Sizeof(s)), &needed)
	return s, err
}

func (system) gone(pid uint32) bool {
	h, err := windows.OpenProcess(windows.SYNCHRONIZE, false, pid)
	if err != nil {
		return errors.Is(err, windows.ERROR_INVALID_PARAMETER) // else it is there, and not ours to look at
	}
	defer func() { _ = windows.CloseHandle(h) }()
	event, err := windows.WaitForSingleObject(h, 0)
	return err == nil && event == windows.WAIT_OBJECT_0
}

func (system) dependents(service windows.Handle) ([]string, error) {
	var n uint32
	b, err := grow(func(b []byte, needed *uint32) error {
		return windows.EnumDependentServices(service, windows.SERVICE_ACTIVE,
			(*windows.ENUM_SERVICE_STATUS)(unsafe.Pointer(&b[0])), uint32(len(b)), needed, &n)
	})
	if err != nil {
		return nil, err
	}
	var names []string
	for _, s := range unsafe.Slice((*windows.ENUM_SERVICE_STATUS)(unsafe.Pointer(&b[0])), n) {
		names = append(names, windows.UTF16PtrToString(s.ServiceName))
	}
	return names, nil
}

func (system) remove(service windows.Handle) error { return windows.DeleteService(service) }

func (system) computer() string {
	name, _ := windows.ComputerName()
	return name
}

// grow calls a query again with the size that it asks for.
func grow(query func(b []byte, needed *uint32) error) ([]byte, error) {
	for size := uint32(1024); ; {
		b := make([]byte, size)
		needed := uint32(0)
		err := query(b, &needed)
		switch {
		case err == nil:
			return b, nil
		case !errors.Is(err, windows.ERROR_INSUFFICIENT_BUFFER) && !errors.Is(err, windows.ERROR_MORE_DATA), needed <= size:
			return nil, err
		}
		size = needed
	}
}
