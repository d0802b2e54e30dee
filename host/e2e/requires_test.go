package e2e

import (
	"encoding/json"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func quoted(s string) string {
	b, _ := json.Marshal(s)
	return string(b)
}

// A service waits for a file, a port that somebody has, and the version of a program, which is asked for as the
// service is run; and nothing that runs is ended for an edit whose requirements are missing.
func TestServiceWaitsUntilWhatItRequiresIsThere(t *testing.T) {
	r := newRig(t)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	port := l.Addr().(*net.TCPAddr).Port
	program := self(t) // told "version" it says 0.0.0
	needs := func(version string, arg ...string) string {
		return yaml(svc("plain", r.child("serve", "plain")), svc("api", r.child("serve", "api", arg...),
			fmt.Sprintf("requires: {files: [ready], ports: [%d], commands: [%s]}", port, quoted(program+" >= "+version))))
	}
	r.write(needs("99"))
	r.start()
	r.untilState("plain", "running")
	var reason string
	r.poll("the reason", func() bool {
		reason = r.untilState("api", "waiting").Reason
		return strings.HasPrefix(reason, "requires: ")
	})
	for _, want := range []string{`ready" is not there`, fmt.Sprintf("port %d is taken by ", port), "wanted >= 99"} {
		if !strings.Contains(reason, want) {
			t.Errorf("the reason lacks %q: %s", want, reason)
		}
	}
	if out := r.must(1, "doctor"); !strings.Contains(out, "services.api.requires.ports: port "+fmt.Sprint(port)) {
		t.Errorf("doctor says:\n%s", out)
	}

	if err := os.WriteFile(filepath.Join(r.dir, "ready"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	r.write(needs("0"))
	r.poll("the port to be all that is missing", func() bool {
		reason = r.untilState("api", "waiting").Reason
		return strings.HasPrefix(reason, "requires: port ") && !strings.Contains(reason, ";")
	})
	l.Close()
	before := r.untilState("api", "running")

	if err := os.Remove(filepath.Join(r.dir, "ready")); err != nil {
		t.Fatal(err)
	}
	r.write(needs("0", "changed"))
	r.must(3, "reload")
	after := r.untilState("api", "running")
	if after.PID != before.PID || after.Spec.State != "rolled_back" {
		t.Errorf("process %d became %d, its spec is %s", before.PID, after.PID, after.Spec.State)
	}
	if err := os.WriteFile(filepath.Join(r.dir, "ready"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	r.must(0, "reload", "--retry", "api")
	if now := r.untilState("api", "running"); now.PID == before.PID {
		t.Error("the change was not tried again")
	}
	r.stop()
}
