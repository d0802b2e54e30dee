package e2e

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"servicehost/host/control"
)

// roleBinary is a program whose version stands behind its own code: a deployment is a file with another end.
const roleBinary = "e2e-binary"

const versionMark = "\nversion:"

// binaryChild is FILE: it appends "VERSION PID" to it. The version "exits" ends at once. With a PORT it answers there,
// but for the version "mute".
func binaryChild(args []string) int {
	self, err := os.Executable()
	if err != nil {
		fmt.Println(err)
		return 9
	}
	f, err := os.Open(self)
	if err != nil {
		fmt.Println(err)
		return 9
	}
	end := make([]byte, 64)
	if _, err = f.Seek(-int64(len(end)), io.SeekEnd); err == nil {
		_, err = io.ReadFull(f, end)
	}
	f.Close()
	_, version, ok := bytes.Cut(end, []byte(versionMark))
	if err != nil || !ok {
		fmt.Println("no version", err)
		return 9
	}
	if string(version) == "exits" {
		fmt.Println("cannot open db")
		return 3
	}
	if err := register(args[0], string(version)); err != nil {
		fmt.Println(err)
		return 9
	}
	fmt.Println(string(version), "is up in", os.Getenv("HOST_SHADOW"))
	if port := os.Getenv("PORT"); port != "" && string(version) != "mute" {
		go func() {
			fmt.Println(http.ListenAndServe("127.0.0.1:"+port, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.Write(version) })))
		}()
	}
	ask := make(chan os.Signal, 1)
	signal.Notify(ask, os.Interrupt, syscall.SIGTERM)
	<-ask
	return 0
}

// deploy overwrites a program in place, as xcopy does.
func (r *rig) deploy(path, version string) {
	r.t.Helper()
	code, err := os.ReadFile(self(r.t))
	if err != nil {
		r.t.Fatal(err)
	}
	if version == "garbage" {
		code = []byte("this is no program\n")
	}
	if err := os.WriteFile(path, append(code, versionMark+version...), 0o700); err != nil {
		r.t.Fatalf("deploying %s over the running program: %v", version, err)
	}
}

func (r *rig) service(id string) control.ServiceStatus {
	r.t.Helper()
	for _, s := range r.status().Services {
		if s.ID == id {
			return s
		}
	}
	r.t.Fatalf("no service %s", id)
	return control.ServiceStatus{}
}

// runs waits until the version is what runs.
func (r *rig) runs(version string) {
	r.t.Helper()
	r.until(version+" to run", func(s control.Status) bool {
		return len(s.Services) > 0 && s.Services[0].State == "running" && r.everStarted()[s.Services[0].PID] == version
	})
}

func (r *rig) app(t *testing.T) (exe, command string) {
	t.Helper()
	exe = filepath.Join(r.dir, "app", "api.exe")
	if err := os.MkdirAll(filepath.Dir(exe), 0o700); err != nil {
		t.Fatal(err)
	}
	b, _ := json.Marshal([]string{filepath.ToSlash(exe), roleBinary, filepath.ToSlash(r.pids)})
	return exe, string(b)
}

// TestDeployOverARunningProgram: with a shadow copy the program can be overwritten while it runs. The new one
// is rolled out; one that does not work goes back to the former copy, and what mends it is rolled out again.
func TestDeployOverARunningProgram(t *testing.T) {
	r := newRig(t)
	exe, command := r.app(t)
	r.deploy(exe, "one")
	text := yaml(svc("api", command, "watch: {shadow_copy: true, quiet: 300ms}"), svc("other", r.child("run", "other")))
	r.write(text)
	r.start()
	r.runs("one")
	r.until("other to run", func(s control.Status) bool { return s.Services[1].State == "running" })
	other := r.service("other").PID

	r.deploy(exe, "two")
	r.runs("two")
	if s := r.service("api"); s.Restarts != 0 || s.Spec.State != "applied" {
		t.Errorf("after a deployment: %d restarts, spec %s", s.Restarts, s.Spec.State)
	}
	r.must(0, "reload", "--wait") // it has proved itself
	rejected := ""
	for _, bad := range []string{"exits", "garbage"} {
		r.deploy(exe, bad)
		s := r.until(bad+" to be rolled back", func(s control.Status) bool {
			v := s.Services[0]
			return v.Spec.State == "rolled_back" && v.Spec.Rejected != rejected && v.State == "running" &&
				s.Host.Spec.State != control.SpecPending // the edit ends a moment after the service has gone back
		})
		rejected = s.Services[0].Spec.Rejected
		if s.Host.Spec.State != control.SpecRolledBack || !strings.Contains(s.Host.Spec.Reason, "api.exe changed (sha256 ") {
			t.Errorf("%s: spec %s: %s", bad, s.Host.Spec.State, s.Host.Spec.Reason)
		}
		r.runs("two")
		if out := r.must(0, "why", "api"); !strings.Contains(out, "api.exe changed") {
			t.Errorf("why said:\n%s", out)
		}
	}
	if out := r.must(2, "plan"); !strings.Contains(out, "keep rolled back") {
		t.Errorf("plan said:\n%s", out)
	}

	r.kill() // what was rejected stays so, and the former copy is still there
	r.start()
	r.runs("two")
	if s := r.service("api"); s.Spec.State != "rolled_back" {
		t.Errorf("after a restart of the host: %s", s.Spec.State)
	}

	r.deploy(exe, "three")
	r.runs("three")
	r.until("the spec to be applied", func(s control.Status) bool { return s.Host.Spec.State == control.SpecApplied })
	if now := r.service("other").PID; now == other || now == 0 {
		t.Errorf("other has PID %d, %d before the host was killed", now, other)
	}
	r.stop()
}

// TestReloadByHandTakesADeploymentAtOnce: whoever deploys by a script does not wait for quiet, and reads in
// the exit code how it went. With mode manual a deployment waits for that.
func TestReloadByHandTakesADeploymentAtOnce(t *testing.T) {
	r := newRig(t)
	exe, command := r.app(t)
	r.deploy(exe, "one")
	service := svc("api", command, "watch: {shadow_copy: true, quiet: 10m}")
	r.write(yaml(service))
	r.start()
	r.runs("one")
	r.deploy(exe, "two")
	r.must(0, "reload")
	r.runs("two")
	r.deploy(exe, "garbage")
	if out := r.must(3, "reload"); !strings.Contains(out, "rolled back: api") {
		t.Errorf("reload said:\n%s", out)
	}

	r.write("host: {reload: {mode: manual}}\n" + yaml(strings.Replace(service, "10m", "100ms", 1)))
	r.must(3, "reload", "--confirm")
	r.deploy(exe, "three")
	s := r.until("the deployment to be held", func(s control.Status) bool { return s.Host.Spec.State == control.SpecPending })
	if !strings.Contains(s.Host.Spec.Reason, `api.exe of service "api" changed`) {
		t.Errorf("held: %s", s.Host.Spec.Reason)
	}
	if out := r.must(2, "plan"); !strings.Contains(out, "binary: sha256") {
		t.Errorf("plan said:\n%s", out)
	}
	r.must(0, "reload", "--confirm")
	r.runs("three")
	r.stop()
}
