package e2e

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/windows"

	"servicehost/host/control"
	"servicehost/host/osservice"
)

// service is a rig whose host is started by the service control manager.
type service struct {
	*rig
	name string
	data string // ProgramData of services
}

// newService has a name of its own, and leaves nothing in the SCM whatever the test does.
func newService(t *testing.T) *service {
	r := newRig(t)
	data := os.Getenv("ProgramData")
	// Services of Wine have another ProgramData than programs, and with it another run directory.
	if windows.NewLazySystemDLL("ntdll.dll").NewProc("wine_get_version").Find() == nil {
		data = os.Getenv("PUBLIC")
		r.env = append(r.env, "ProgramData="+data)
	}
	s := &service{r, fmt.Sprintf("e2e-%x-%s", time.Now().UnixNano(), strings.ToLower(t.Name())), data}
	t.Cleanup(func() { // after the service is gone
		if err := os.RemoveAll(filepath.Join(s.data, "servicehost", s.name)); err != nil {
			t.Error(err)
		}
	})
	t.Cleanup(func() {
		m, err := osservice.New()
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithTimeout(context.Background(), patience) // t's has ended
		defer cancel()
		err = m.Uninstall(ctx, s.name)
		if missing := (*osservice.NotInstalled)(nil); err != nil && !errors.As(err, &missing) {
			t.Errorf("cannot clean up: %v", err)
		}
		if t.Failed() {
			for _, dir := range []string{s.dir, filepath.Join(s.data, "servicehost", s.name)} {
				log, _ := os.ReadFile(filepath.Join(dir, "logs", "host.log"))
				t.Logf("the host said:\n%s", log)
			}
		}
	})
	return s
}

func (s *service) path(elem ...string) string {
	return filepath.Join(append([]string{s.dir}, elem...)...)
}

// save writes a spec whose files are the test's own. Edits wait for a control: the watcher does not act.
func (s *service) save(services ...string) {
	s.t.Helper()
	s.write(fmt.Sprintf("version: 1\nhost:\n  state_dir: '%s'\n  logs: {dir: '%s'}\n  reload: {quiet: 10m}\nservices:\n%s",
		s.path("state"), s.path("logs"), strings.Join(services, "")))
}

// install installs the service by the command line and returns what that said.
func (s *service) install(args ...string) (out struct {
	Created  bool
	Changed  []string
	Warnings []string
}) {
	s.t.Helper()
	o, e, code := s.cli(append([]string{"install", "--name", s.name, "--start", "manual", "-o", "json"}, args...)...)
	if code != 0 {
		s.t.Fatalf("install ended with %d\n%s%s", code, o, e)
	}
	if err := json.Unmarshal([]byte(o), &out); err != nil {
		s.t.Fatalf("install said no JSON: %v\n%s", err, o)
	}
	return out
}

func (s *service) daemon(code int, verb string) osservice.Status {
	s.t.Helper()
	o, e, c := s.cli("daemon", verb, "--name", s.name, "-o", "json")
	if c != code {
		s.t.Fatalf("daemon %s ended with %d, want %d\n%s%s", verb, c, code, o, e)
	}
	var status osservice.Status
	if o != "" {
		if err := json.Unmarshal([]byte(o), &status); err != nil {
			s.t.Fatalf("daemon %s said no JSON: %v\n%s", verb, err, o)
		}
	}
	return status
}

// opened is the service in the SCM itself.
func (s *service) opened(access uint32) windows.Handle {
	s.t.Helper()
	db, err := windows.OpenSCManager(nil, nil, windows.SC_MANAGER_CONNECT)
	if err != nil {
		s.t.Fatal(err)
	}
	defer windows.CloseServiceHandle(db)
	h, err := windows.OpenService(db, windows.StringToUTF16Ptr(s.name), access)
	if err != nil {
		s.t.Fatal(err)
	}
	return h
}

// send is sc.exe control.
func (s *service) send(code uint32) {
	s.t.Helper()
	access := uint32(windows.SERVICE_USER_DEFINED_CONTROL)
	switch code {
	case windows.SERVICE_CONTROL_STOP:
		access = windows.SERVICE_STOP
	case windows.SERVICE_CONTROL_PARAMCHANGE:
		access = windows.SERVICE_PAUSE_CONTINUE
	}
	h := s.opened(access)
	defer windows.CloseServiceHandle(h)
	var status windows.SERVICE_STATUS
	if err := windows.ControlService(h, code, &status); err != nil {
		s.t.Fatalf("cannot send control %d: %v", code, err)
	}
}

func (s *service) files(pattern string) []string {
	list, _ := filepath.Glob(s.path("logs", pattern))
	return list
}

func TestSCMRoundTrip(t *testing.T) {
	s := newService(t)
	s.save(svc("web", s.child("stop", "web")), svc("worker", s.child("stop", "worker")))

	if r := s.install(); !r.Created || !strings.Contains(strings.Join(r.Warnings, "\n"), `--account "NT SERVICE\`) {
		t.Fatalf("the first install said %+v", r)
	}
	if r := s.install(); r.Created || len(r.Changed) != 0 {
		t.Fatalf("the same install again said %+v", r)
	}
	r := s.install("--description", "Runs äpfel", "--display-name", "Host of 订单")
	if said := strings.Join(r.Changed, "\n"); !strings.Contains(said, "description: ") || !strings.Contains(said, "display name: ") {
		t.Fatalf("an install with other words said %+v", r)
	}
	if st := s.daemon(3, "status"); st.State != osservice.Stopped || st.PID != 0 || st.Start != osservice.StartManual {
		t.Fatalf("before the start: %+v", st)
	}

	st := s.daemon(0, "start")
	if st.State != osservice.Running || st.PID == 0 || !strings.HasPrefix(st.Command, `"`) {
		t.Fatalf("after the start: %+v", st)
	}
	before := s.allRunning()
	if again := s.daemon(0, "start"); again.PID != st.PID {
		t.Fatalf("a start of what runs made process %d of %d", again.PID, st.PID)
	}

	s.save(svc("web", s.child("stop", "web")), svc("worker", s.child("stop", "worker", "edited")))
	s.send(windows.SERVICE_CONTROL_PARAMCHANGE)
	var after map[string]int
	s.until("the edit to be applied", func(c control.Status) bool {
		after = map[string]int{}
		for _, v := range c.Services {
			if v.State == "running" {
				after[v.ID] = v.PID
			}
		}
		return len(after) == 2 && after["worker"] != before["worker"]
	})
	if after["web"] != before["web"] {
		t.Errorf("a reload touched what was not edited: %v, then %v", before, after)
	}

	old := len(s.files("web*"))
	s.send(128)
	s.poll("the logs to be rotated", func() bool { return len(s.files("web*")) > old })
	s.poll("the host's own log to be rotated", func() bool { return len(s.files("host.log.*")) > 0 })
	s.send(129)
	s.poll("a dump of the state", func() bool { return len(s.files("dump-*.json")) > 0 })
	s.send(200) // means nothing, and changes nothing
	if st := s.daemon(0, "status"); st.State != osservice.Running {
		t.Errorf("after a control that nobody knows: %+v", st)
	}

	if st := s.daemon(0, "stop"); st.State != osservice.Stopped || st.ExitCode != 0 {
		t.Errorf("after the stop: %+v", st)
	}
	s.nothingLeft()
	s.daemon(0, "stop")
	s.must(0, "uninstall", "--name", s.name)
	s.daemon(4, "status")
	s.must(4, "uninstall", "--name", s.name)
}

func TestSCMReportsProgressOfASlowStop(t *testing.T) {
	s := newService(t)
	s.save(svc("deaf", s.child("deaf", "deaf"), "stop: {timeout: 4s}"))
	s.install()
	s.daemon(0, "start")
	s.allRunning()
	h := s.opened(windows.SERVICE_QUERY_STATUS)
	defer windows.CloseServiceHandle(h)
	s.send(windows.SERVICE_CONTROL_STOP)
	var highest, last uint32
	s.poll("the stop", func() bool {
		var st windows.SERVICE_STATUS
		if err := windows.QueryServiceStatus(h, &st); err != nil {
			t.Fatal(err)
		}
		switch st.CurrentState {
		case windows.SERVICE_STOP_PENDING:
			if st.CheckPoint < last {
				t.Errorf("checkpoint %d came after %d", st.CheckPoint, last)
			}
			if st.WaitHint < 2000 || st.WaitHint > 10000 {
				t.Errorf("the hint is %d ms", st.WaitHint)
			}
			last, highest = st.CheckPoint, max(highest, st.CheckPoint)
		case windows.SERVICE_STOPPED:
			return true
		}
		return false
	})
	if highest < 3 {
		t.Errorf("a stop of 4 s showed %d checkpoints", highest)
	}
	s.nothingLeft()
}

func TestSCMSeesAKilledHost(t *testing.T) {
	s := newService(t)
	s.save(svc("tree", s.child("tree-deaf", "tree"), "stop: {timeout: 1s}"))
	s.install()
	pid := s.daemon(0, "start").PID
	s.allRunning()
	p, err := os.FindProcess(pid)
	if err != nil {
		t.Fatal(err)
	}
	if err := p.Kill(); err != nil {
		t.Fatal(err)
	}
	s.poll("the SCM to see it", func() bool {
		_, _, code := s.cli("daemon", "status", "--name", s.name)
		return code == 3
	})
	s.nothingLeft()
	if again := s.daemon(0, "start"); again.PID == pid || again.State != osservice.Running {
		t.Errorf("after a new start: %+v", again)
	}
	s.allRunning()
}

// A spec that is broken when the machine starts must not leave a service that says Running with nothing
// behind it: what worked last runs, or the service has ended with an error.
func TestSCMStartWithABrokenSpec(t *testing.T) {
	s := newService(t)
	// What worked last is looked for in the default state folder: a broken file can't name another.
	s.write(yaml(svc("web", s.child("stop", "web"))))
	s.install()
	good, err := os.ReadFile(s.spec)
	if err != nil {
		t.Fatal(err)
	}
	s.write("services: {web: {comand: nothing}}\n")
	_, said, code := s.cli("daemon", "start", "--name", s.name)
	if code != 1 || !strings.Contains(said, "exit code 2") {
		t.Errorf("a start with nothing to run ended with %d:\n%s", code, said)
	}
	// The SCM of Wine forgets the exit code a moment later, and with it that this was a failure.
	if st := s.daemon(3, "status"); st.State != osservice.Failed && st.State != osservice.Stopped || st.PID != 0 {
		t.Errorf("after it: %+v", st)
	}

	s.write(string(good))
	s.daemon(0, "start")
	s.allRunning()
	s.daemon(0, "stop")
	s.write(string(good) + "nonsense: true\n")
	s.daemon(0, "start")
	st := s.until("what worked last to run", func(c control.Status) bool {
		return len(c.Services) == 1 && c.Services[0].State == "running"
	})
	if st.Host.Spec.State != control.SpecRejected && st.Host.Spec.State != control.SpecLastGood {
		t.Errorf("the state of the spec is %q", st.Host.Spec.State)
	}
	s.must(3, "status")
}

func TestRunAsServiceByHandRunsInTheConsole(t *testing.T) {
	s := newService(t)
	s.save(svc("web", s.child("stop", "web")))
	s.start("--service", s.name)
	s.allRunning()
	if code := s.stop(); code != 0 {
		t.Errorf("Ctrl-C ended it with %d\n%s", code, s.out)
	}
	s.nothingLeft()
}
