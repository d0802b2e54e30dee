package e2e

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"servicehost/host/control"
)

// rig is one folder with a spec, and the host that runs it.
type rig struct {
	t      *testing.T
	dir    string
	spec   string
	exe    string // of the host
	pids   string // where children write that they are up
	env    []string
	host   *exec.Cmd
	out    *buffer
	stderr *os.File // of the host, instead of out
	looks  *control.Client
	done   chan struct{}
}

// buffer takes output from several goroutines.
type buffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (b *buffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.Write(p)
}

func (b *buffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.String()
}

func newRig(t *testing.T) *rig {
	dir := t.TempDir()
	r := &rig{t: t, dir: dir, spec: filepath.Join(dir, "services.yaml"), exe: self(t), pids: filepath.Join(dir, "pids")}
	// Built for the race detector, every child would sleep for a second before it ends.
	r.env = append(os.Environ(), "XDG_RUNTIME_DIR="+dir, "NO_COLOR=1", "GORACE=atexit_sleep_ms=0")
	t.Cleanup(func() {
		r.kill()
		r.nothingLeft()
		if t.Failed() && r.out != nil {
			t.Logf("the host said:\n%s", r.out)
		}
	})
	return r
}

// write saves the spec the way an editor does, by rename.
func (r *rig) write(text string) {
	r.t.Helper()
	tmp := r.spec + ".tmp"
	if err := os.WriteFile(tmp, []byte(text), 0o600); err != nil {
		r.t.Fatal(err)
	}
	var err error
	r.poll("save the spec", func() bool { // Windows: the host may be reading it
		err = os.Rename(tmp, r.spec)
		return err == nil
	})
}

// child is the command of a service in YAML.
func (r *rig) child(mode, tag string, more ...string) string {
	args := append([]string{self(r.t), roleChild, mode, tag, filepath.ToSlash(r.pids)}, more...)
	b, _ := json.Marshal(args)
	return string(b)
}

// start runs the host and waits until it answers.
func (r *rig) start(args ...string) {
	r.t.Helper()
	r.host = exec.Command(r.exe, append([]string{roleHost, "run", "-f", r.spec}, args...)...)
	r.host.Env, r.host.Dir = r.env, r.dir
	if r.out == nil {
		r.out = &buffer{}
	}
	r.host.Stdout, r.host.Stderr = r.out, r.out
	if r.stderr != nil {
		r.host.Stderr = r.stderr
	}
	hostConsole(r.host)
	// The guard and the children hold no pipe of ours, but what they leave must not hold up Wait.
	r.host.WaitDelay = 5 * time.Second
	if err := r.host.Start(); err != nil {
		r.t.Fatal(err)
	}
	r.done = make(chan struct{})
	cmd, done := r.host, r.done
	go func() {
		cmd.Wait()
		close(done)
	}()
	r.poll("the host to answer", func() bool {
		select {
		case <-done:
			r.t.Fatalf("the host ended:\n%s", r.out)
		default:
		}
		_, ok := r.look()
		return ok
	})
}

// kill terminates the host, as a crash or the task manager would.
func (r *rig) kill() {
	if r.host == nil {
		return
	}
	r.host.Process.Kill()
	<-r.done
	r.host = nil
}

// stop ends the host in the way of the console and returns its exit code.
func (r *rig) stop() int {
	r.t.Helper()
	if err := askToEnd(r.host); err != nil {
		r.t.Fatal(err)
	}
	select {
	case <-r.done:
	case <-time.After(60 * time.Second):
		r.t.Fatalf("the host does not end:\n%s", r.out)
	}
	code := r.host.ProcessState.ExitCode()
	r.host = nil
	return code
}

// cli runs a command of the host and returns its output and exit code.
func (r *rig) cli(args ...string) (stdout, stderr string, code int) {
	r.t.Helper()
	cmd := exec.Command(r.exe, append([]string{roleHost, "-f", r.spec}, args...)...)
	cmd.Env, cmd.Dir = r.env, r.dir
	var o, e bytes.Buffer
	cmd.Stdout, cmd.Stderr = &o, &e
	cmd.WaitDelay = 5 * time.Second
	err := cmd.Run()
	if cmd.ProcessState == nil {
		r.t.Fatalf("cannot run %v: %v", args, err)
	}
	return o.String(), e.String(), cmd.ProcessState.ExitCode()
}

// must is cli for a command that has to end with code.
func (r *rig) must(code int, args ...string) string {
	r.t.Helper()
	o, e, c := r.cli(args...)
	if c != code {
		r.t.Fatalf("%v ended with %d, want %d\n%s%s", args, c, code, o, e)
	}
	return o + e
}

// status is what the command of that name says.
func (r *rig) status() (s control.Status) {
	r.t.Helper()
	o, e, code := r.cli("status", "-o", "json")
	if code != 0 && code != 3 {
		r.t.Fatalf("status ended with %d\n%s%s", code, e, r.out)
	}
	if err := json.Unmarshal([]byte(o), &s); err != nil {
		r.t.Fatalf("status is no JSON: %v\n%s", err, o)
	}
	return s
}

// pidsOf are the PIDs of the services by id.
func (r *rig) pidsOf() map[string]int {
	r.t.Helper()
	m := map[string]int{}
	for _, s := range r.status().Services {
		m[s.ID] = s.PID
	}
	return m
}

// until waits for a status that suits.
func (r *rig) until(what string, suits func(control.Status) bool) control.Status {
	r.t.Helper()
	var s control.Status
	r.poll(what, func() bool {
		var ok bool
		if s, ok = r.look(); !ok {
			s = r.status()
		}
		return suits(s)
	})
	return s
}

func (r *rig) untilState(id, state string) control.ServiceStatus {
	r.t.Helper()
	var found control.ServiceStatus
	r.until(id+" to be "+state, func(s control.Status) bool {
		for _, v := range s.Services {
			if v.ID == id {
				found = v
			}
		}
		return found.State == state
	})
	return found
}

// allRunning waits until every service runs and its child has said so.
func (r *rig) allRunning() map[string]int {
	r.t.Helper()
	r.until("all to run", func(s control.Status) bool {
		for _, v := range s.Services {
			if v.State != "running" {
				return false
			}
		}
		return len(s.Services) > 0 && s.Host.Spec.State == control.SpecApplied
	})
	return r.pidsOf()
}

// poll waits for a condition that no event tells of.
func (r *rig) poll(what string, done func() bool) {
	r.t.Helper()
	for end := time.Now().Add(patience); !done(); time.Sleep(20 * time.Millisecond) {
		if time.Now().After(end) {
			out := ""
			if r.out != nil {
				out = r.out.String()
			}
			r.t.Fatalf("waited in vain for %s\n%s", what, out)
		}
	}
}

const patience = 60 * time.Second

// registered is a child that was up once.
type registered struct {
	tag  string
	born int64 // as birth says
}

// registered reads what children wrote: tag, PID and when they were born.
func (r *rig) registered() map[int]registered {
	m := map[int]registered{}
	b, _ := os.ReadFile(r.pids)
	for line := range strings.Lines(string(b)) {
		var pid int
		var c registered
		if n, _ := fmt.Sscan(line, &c.tag, &pid, &c.born); n == 3 {
			m[pid] = c
		}
	}
	return m
}

// everStarted are the tags of all children that were up once, by PID.
func (r *rig) everStarted() map[int]string {
	m := map[int]string{}
	for pid, c := range r.registered() {
		m[pid] = c.tag
	}
	return m
}

// alive are the children that were ever started and still live.
func (r *rig) alive() map[int]string {
	m := map[int]string{}
	for pid, c := range r.registered() {
		if processAlive(pid, c.born, r.pids) {
			m[pid] = c.tag
		}
	}
	return m
}

// nothingLeft waits until no child, grandchild or cgroup of the rig is there any more.
func (r *rig) nothingLeft() {
	r.t.Helper()
	end := time.Now().Add(20 * time.Second)
	for left := r.alive(); len(left) > 0; left = r.alive() {
		if time.Now().After(end) {
			r.t.Errorf("left behind: %v", left)
			return
		}
		time.Sleep(20 * time.Millisecond)
	}
}

func yaml(services ...string) string {
	return "version: 1\nservices:\n" + strings.Join(services, "")
}

func svc(name, command string, more ...string) string {
	s := fmt.Sprintf("  %s:\n    command: %s\n", name, command)
	for _, m := range more {
		s += "    " + m + "\n"
	}
	return s
}
