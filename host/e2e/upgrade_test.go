package e2e

import (
	"bytes"
	"encoding/json"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// release is what a copy of the test binary says it is. It stands behind the end of the executable, where
// no system looks.
type release struct {
	Version string
	Dies    bool // when it is to run services
}

const releaseMark = "\n#release "

// releaseOf is that of this executable.
func releaseOf() release {
	r := release{Version: "0.0.0-test"}
	exe, err := os.Executable()
	if err != nil {
		return r
	}
	f, err := os.Open(exe)
	if err != nil {
		return r
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return r
	}
	tail := make([]byte, min(200, info.Size()))
	n, _ := f.ReadAt(tail, info.Size()-int64(len(tail)))
	if _, text, ok := bytes.Cut(tail[:n], []byte(releaseMark)); ok {
		_ = json.Unmarshal(text, &r)
	}
	return r
}

// release writes an executable of that release.
func (r *rig) release(name string, what release) string {
	r.t.Helper()
	b, err := os.ReadFile(self(r.t))
	if err != nil {
		r.t.Fatal(err)
	}
	tail, _ := json.Marshal(what)
	path := filepath.Join(r.dir, name)
	if err := os.WriteFile(path, append(append(b, releaseMark...), tail...), 0o755); err != nil {
		r.t.Fatal(err)
	}
	return path
}

// A host in the foreground goes on with the version it began with; the executable is another one.
func TestUpgradeReplacesARunningExecutable(t *testing.T) {
	r := newRig(t)
	r.exe = r.release("host.exe", release{Version: "1.0.0"})
	r.write(yaml(svc("web", r.child("quiet", "web"))))
	r.start()
	before := r.allRunning()

	out := r.must(0, "upgrade", r.release("next.exe", release{Version: "1.1.0"}))
	if !strings.Contains(out, "is version 1.1.0 now, before 1.0.0") || !strings.Contains(out, "goes on with the former version") {
		t.Errorf("upgrade said %s", out)
	}
	if out := r.must(0, "version"); !strings.Contains(out, "host 1.1.0 ") {
		t.Errorf("version says %s", out)
	}
	s := r.status()
	if after := r.pidsOf(); s.Host.Version != "1.0.0" || !maps.Equal(before, after) {
		t.Errorf("version %s runs %v, before %v", s.Host.Version, after, before)
	}
	if out := r.must(1, "upgrade", r.release("former.exe", release{Version: "1.0.0"})); !strings.Contains(out, "--allow-downgrade") {
		t.Errorf("an older version: %s", out)
	}
	r.stop()
	r.start()
	r.allRunning()
	if s := r.status(); s.Host.Version != "1.1.0" {
		t.Errorf("version %s was started", s.Host.Version)
	}
	if out := r.must(0, "upgrade", "--revert"); !strings.Contains(out, "is version 1.0.0 now") {
		t.Errorf("revert said %s", out)
	}
}

// A deploy agent that the host itself runs would be stopped in the middle.
func TestUpgradeBeneathTheHost(t *testing.T) {
	r := newRig(t)
	r.exe = r.release("host.exe", release{Version: "1.0.0"})
	r.write("services: {}\n")
	r.env = append(r.env, "HOST_RUN=web/1/1")
	if out := r.must(0, "upgrade", r.release("next.exe", release{Version: "1.1.0"})); !strings.Contains(out, "is version 1.1.0 now") {
		t.Errorf("with nothing to restart: %s", out)
	}
}
