package e2e

import (
	"encoding/json"
	"strings"
	"testing"

	"servicehost/host/osservice"
	"servicehost/host/upgrade"
)

// The service control manager restarts what is in place: first a good version, then one that dies.
func TestUpgradeOfAnInstalledService(t *testing.T) {
	s := newService(t)
	s.exe = s.release("host.exe", release{Version: "1.0.0"})
	s.save(svc("web", s.child("stop", "web")), svc("worker", s.child("stop", "worker")))
	s.install()
	s.daemon(0, "start")
	s.allRunning()

	out, said, code := s.cli("upgrade", s.release("next.exe", release{Version: "2.0.0"}), "--name", s.name, "-o", "json")
	var r upgrade.Result
	if err := json.Unmarshal([]byte(out), &r); err != nil || code != 0 || !r.Restarted || r.From != "1.0.0" || r.To != "2.0.0" {
		t.Fatalf("upgrade ended with %d, %v\n%s%s", code, err, out, said)
	}
	s.allRunning()
	if st := s.status(); st.Host.Version != "2.0.0" {
		t.Errorf("version %s runs", st.Host.Version)
	}

	out, said, code = s.cli("upgrade", s.release("bad.exe", release{Version: "3.0.0", Dies: true}), "--name", s.name)
	if code != 1 || !strings.Contains(said, "version 3.0.0 did not prove itself") || !strings.Contains(said, "version 2.0.0 is back") {
		t.Fatalf("the bad one ended with %d\n%s%s", code, out, said)
	}
	s.allRunning()
	if st := s.status(); st.Host.Version != "2.0.0" {
		t.Errorf("version %s runs after that", st.Host.Version)
	}
	for _, want := range []string{"upgraded: version 2.0.0, before 1.0.0", "upgrade reverted: version 3.0.0 did not prove itself"} {
		if events := s.must(0, "events"); !strings.Contains(events, want) {
			t.Errorf("the events lack %q:\n%s", want, events)
		}
	}

	s.env = append(s.env, "HOST_RUN=web/1/1")
	if out := s.must(1, "upgrade", s.path("bad.exe"), "--name", s.name); !strings.Contains(out, "started by a host") {
		t.Errorf("from a child of a host: %s", out)
	}
	s.env = s.env[:len(s.env)-1]
	if st := s.daemon(0, "stop"); st.State != osservice.Stopped {
		t.Errorf("%+v", st)
	}
}
