package main

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"golang.org/x/sys/windows"
	"golang.org/x/sys/windows/registry"
	"golang.org/x/sys/windows/svc"
	"golang.org/x/sys/windows/svc/mgr"
)

// contender puts children under supervision as services, in a folder of its own.
type contender interface {
	name() string
	// install sets one child of the part up for each name. What they note is in notesOf, their output in logOf.
	install(dir, part string, names []string) (services []string, err error)
	logs(dir, name string) []string // all files of output, older ones too
	exe() string
}

func notesOf(dir, name string) string { return filepath.Join(dir, name+".notes") }

func prefix(v string) string { return fmt.Sprintf("bench-%d-%s", os.Getpid(), v) }

// nssm is a service of nssm.exe for each child.
type nssm struct{ path string }

func (n nssm) name() string { return "NSSM 2.24" }
func (n nssm) exe() string  { return n.path }

func (n nssm) install(dir, part string, names []string) (services []string, err error) {
	m, err := mgr.Connect()
	if err != nil {
		return nil, err
	}
	defer func() { _ = m.Disconnect() }()
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	for _, name := range names {
		service := prefix("nssm-" + name)
		s, err := m.CreateService(service, n.path, mgr.Config{StartType: mgr.StartManual})
		if err != nil {
			return services, fmt.Errorf("cannot create service %q: %w", service, err)
		}
		s.Close()
		services = append(services, service)
		log := filepath.Join(dir, name+".log")
		texts := map[string]string{
			"Application": self, "AppParameters": fmt.Sprintf(`child %s "%s"`, part, notesOf(dir, name)), "AppDirectory": dir,
			"AppStdout": log, "AppStderr": log,
		}
		// No throttle and no delay: a child that ends is started anew at once. Its output is rotated while it
		// runs, at the same size as that of the other: without that NSSM hands the file itself to the child.
		numbers := map[string]uint32{"AppThrottle": 0, "AppRestartDelay": 0, "AppRotateFiles": 1, "AppRotateOnline": 1, "AppRotateBytes": rotateAt}
		if err := setValues(service, texts, numbers); err != nil {
			return services, err
		}
	}
	return services, nil
}

const rotateAt = 1 << 20

func setValues(service string, texts map[string]string, numbers map[string]uint32) error {
	k, _, err := registry.CreateKey(registry.LOCAL_MACHINE, `SYSTEM\CurrentControlSet\Services\`+service+`\Parameters`, registry.ALL_ACCESS)
	if err != nil {
		return err
	}
	defer k.Close()
	for name, v := range texts {
		if err := k.SetExpandStringValue(name, v); err != nil {
			return err
		}
	}
	for name, v := range numbers {
		if err := k.SetDWordValue(name, v); err != nil {
			return err
		}
	}
	exit, _, err := registry.CreateKey(k, "AppExit", registry.ALL_ACCESS)
	if err != nil {
		return err
	}
	defer exit.Close()
	return exit.SetStringValue("", "Restart")
}

func (n nssm) logs(dir, name string) []string {
	older, _ := filepath.Glob(filepath.Join(dir, name+"-*.log"))
	return append(older, filepath.Join(dir, name+".log"))
}

// hostExe is one service of host.exe with all children.
type hostExe struct{ path string }

func (h hostExe) name() string { return "host" }
func (h hostExe) exe() string  { return h.path }

func (h hostExe) install(dir, part string, names []string) ([]string, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	var b strings.Builder
	fmt.Fprintf(&b, "host:\n  state_dir: '%s'\n  logs: {dir: '%[1]s'}\nservices:\n", dir)
	for _, name := range names {
		fmt.Fprintf(&b, "  %s:\n    command: ['%s', child, %s, '%s']\n    restart: {policy: always, delay: 0, limit: 0}\n    log: {max_size: %dKiB, max_files: 1000, compress: none}\n",
			name, self, part, notesOf(dir, name), rotateAt>>10)
	}
	spec := filepath.Join(dir, "services.yaml")
	if err := os.WriteFile(spec, []byte(b.String()), 0o600); err != nil {
		return nil, err
	}
	service := prefix("host-" + part)
	out, err := exec.Command(h.path, "install", "--name", service, "--start", "manual", "-f", spec).CombinedOutput()
	if err != nil {
		return nil, fmt.Errorf("host install: %w\n%s", err, out)
	}
	return []string{service}, nil
}

func (h hostExe) logs(dir, name string) []string {
	all, _ := filepath.Glob(filepath.Join(dir, name+"*.log*"))
	var kept []string
	for _, f := range all { // the host's own small files beside them are no logs
		if strings.HasSuffix(f, ".log") || strings.Contains(filepath.Base(f), ".log.") {
			kept = append(kept, f)
		}
	}
	return kept
}

// patience is how long anything may take before the comparison is given up.
const patience = 60 * time.Second

func until(what string, ok func() bool) error {
	for end := time.Now().Add(patience); !ok(); time.Sleep(2 * time.Millisecond) {
		if time.Now().After(end) {
			return fmt.Errorf("waited in vain for %s", what)
		}
	}
	return nil
}

func openService(name string) (*mgr.Service, func(), error) {
	m, err := mgr.Connect()
	if err != nil {
		return nil, nil, err
	}
	s, err := m.OpenService(name)
	if err != nil {
		_ = m.Disconnect()
		return nil, nil, fmt.Errorf("service %q: %w", name, err)
	}
	return s, func() { s.Close(); _ = m.Disconnect() }, nil
}

func startService(name string) error {
	s, done, err := openService(name)
	if err != nil {
		return err
	}
	defer done()
	if err := s.Start(); err != nil {
		return fmt.Errorf("start service %q: %w", name, err)
	}
	return until("service "+name+" to run", func() bool { return stateOf(s) == svc.Running })
}

func stateOf(s *mgr.Service) svc.State {
	st, err := s.Query()
	if err != nil {
		return 0
	}
	return st.State
}

// askToStop asks once; a service that stops or has stopped is left alone, one that takes no control yet is waited for.
func askToStop(name string) (err error) {
	s, done, err := openService(name)
	if err != nil {
		return err
	}
	defer done()
	waited := until("service "+name+" to take controls", func() bool {
		if st := stateOf(s); st == svc.Stopped || st == svc.StopPending {
			err = nil
			return true
		}
		_, err = s.Control(svc.Stop)
		return !errors.Is(err, windows.ERROR_SERVICE_CANNOT_ACCEPT_CTRL)
	})
	if err != nil && stateOf(s) != svc.Stopped {
		return fmt.Errorf("stop service %q: %w", name, err)
	}
	return waited
}

// stopService asks if nobody has, and waits for the end.
func stopService(name string) error {
	if err := askToStop(name); err != nil {
		return err
	}
	s, done, err := openService(name)
	if err != nil {
		return err
	}
	defer done()
	return until("service "+name+" to stop", func() bool { return stateOf(s) == svc.Stopped })
}

func removeService(name string) {
	_ = stopService(name) // one whose process was killed can't be stopped
	if s, done, err := openService(name); err == nil {
		_ = s.Delete()
		done()
	}
}

func servicePID(name string) (int, error) {
	s, done, err := openService(name)
	if err != nil {
		return 0, err
	}
	defer done()
	st, err := s.Query()
	return int(st.ProcessId), err
}

func alive(pid int) bool {
	h, err := windows.OpenProcess(windows.SYNCHRONIZE, false, uint32(pid))
	if err != nil {
		return false
	}
	defer windows.CloseHandle(h)
	r, err := windows.WaitForSingleObject(h, 0)
	return err == nil && r == uint32(windows.WAIT_TIMEOUT)
}

func kill(pid int) error {
	h, err := windows.OpenProcess(windows.PROCESS_TERMINATE, false, uint32(pid))
	if err != nil {
		return err
	}
	defer windows.CloseHandle(h)
	return windows.TerminateProcess(h, 1)
}
