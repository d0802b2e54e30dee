package e2e

import (
	"fmt"
	"maps"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"servicehost/host/control"
	"servicehost/host/journal"
)

// TestSampleRolloutLosesNoRequest does what the first lines of samples/rollout say, with somebody who asks all the time.
func TestSampleRolloutLosesNoRequest(t *testing.T) {
	nginx := need(t, "nginx")
	need(t, "python3")
	r := newRig(t)
	os.Chmod(r.dir, 0o755) // workers of an nginx that root starts are nobody's
	os.Mkdir(filepath.Join(r.dir, "run"), 0o755)
	front, port := freePort(t), freePorts(t, 2)
	ports := strings.NewReplacer("8090", strconv.Itoa(front), "8091", strconv.Itoa(port), "8092", strconv.Itoa(port+1))
	file := func(name string, change ...string) {
		t.Helper()
		b, err := os.ReadFile(filepath.Join("../../samples/rollout", name))
		if err != nil {
			t.Fatal(err)
		}
		text := ports.Replace(strings.NewReplacer(change...).Replace(string(b)))
		if name == "services.yaml" {
			r.write(text)
		} else if err := os.WriteFile(filepath.Join(r.dir, name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	spec := func(version string) {
		t.Helper()
		file("services.yaml", "NGINX: nginx", "NGINX: "+nginx, `VERSION: "1"`, fmt.Sprintf("VERSION: %q", version), "monitor: 5s", "monitor: 300ms")
	}
	file("nginx.conf")
	file("api.py")
	spec("1")
	r.start()
	r.allRunning()
	answered := func(l *load, version string) int {
		n := 0
		for _, instance := range []string{"1", "2"} {
			n += l.answered("version " + version + " of instance " + instance + "\n")
		}
		return n
	}
	l := &load{url: fmt.Sprintf("http://127.0.0.1:%d/", front)}
	r.poll("nginx to answer", func() bool { _, err := l.ask(http.DefaultClient); return err == nil })
	l.begin(200)
	rolled := func(state, version string) func(control.Status) bool {
		return func(s control.Status) bool {
			for _, v := range s.Services {
				if v.Name == "api" && (v.Spec.State != state || v.Health != "healthy" || v.Rollout != nil) {
					return false
				}
			}
			return answered(l, version) > 0
		}
	}
	r.until("the first version to answer", rolled("applied", "1"))
	spec("2")
	r.until("an edit of VERSION", rolled("applied", "2"))
	before := r.pidsOf()
	file("api.py", "def main():", "def main():\n    raise SystemExit('cannot open db')\n\n\ndef unused():")
	s := r.until("the broken api.py to be given up", rolled("rolled_back", "2"))
	if after := r.pidsOf(); !maps.Equal(after, before) {
		t.Errorf("a broken program replaced processes: %v, then %v", before, after)
	}
	if !strings.Contains(s.Host.Spec.Reason, "api.py changed") {
		t.Errorf("the reason is %q", s.Host.Spec.Reason)
	}
	file("api.py", "version {VERSION} of", "version {VERSION}b of")
	r.until("the mended api.py", rolled("applied", "2b"))
	close(l.stop)
	l.ended.Wait()
	if len(l.failed) > 0 || l.asked < 100 {
		t.Errorf("%d of %d requests failed: %s", len(l.failed), l.asked, strings.Join(l.failed[:min(3, len(l.failed))], "\n"))
	}
	for _, e := range events(t, r.must(0, "events", "-n", "1000", "-o", "json", "api")) {
		if e.Kind == journal.Killed { // it says STOPPING=1 where it is heard to the end
			t.Errorf("%s was killed: %s", e.ID, e.Reason)
		}
	}
	r.stop()
}
