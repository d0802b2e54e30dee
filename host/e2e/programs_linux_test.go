package e2e

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"servicehost/host/control"
)

// need finds a program, or skips the test; in CI a missing one is a failure.
func need(t *testing.T, name string) string {
	t.Helper()
	p, err := exec.LookPath(name)
	if err != nil {
		for _, dir := range []string{"/usr/sbin", "/usr/local/sbin"} {
			if _, err := os.Stat(filepath.Join(dir, name)); err == nil {
				return filepath.Join(dir, name)
			}
		}
		if os.Getenv("CI") != "" {
			t.Fatalf("%s is not installed", name)
		}
		t.Skipf("%s is not installed", name)
	}
	return p
}

// TestRealPrograms supervises nginx, redis and a Python script under one spec.
func TestRealPrograms(t *testing.T) {
	nginx, redis, python := need(t, "nginx"), need(t, "redis-server"), need(t, "python3")
	r := newRig(t)
	web, cache, script := freePort(t), freePort(t), freePort(t)
	for _, d := range []string{"web", "cache", "tmp"} {
		os.MkdirAll(filepath.Join(r.dir, d), 0o755)
	}
	user := ""
	if os.Getuid() == 0 {
		user = "user root;\n"
		os.Chmod(r.dir, 0o755)
	}
	os.WriteFile(filepath.Join(r.dir, "web/nginx.conf"), fmt.Appendf(nil, `%sdaemon off;
master_process on;
worker_processes 2;
pid %s/web/nginx.pid;
error_log stderr;
events {}
http {
  access_log /dev/stdout;
  client_body_temp_path %[2]s/tmp/a; proxy_temp_path %[2]s/tmp/b; fastcgi_temp_path %[2]s/tmp/c; uwsgi_temp_path %[2]s/tmp/d; scgi_temp_path %[2]s/tmp/e;
  server { listen 127.0.0.1:%d; location / { return 200 "hello\n"; } }
}
`, user, r.dir, web), 0o600)
	os.WriteFile(filepath.Join(r.dir, "app.py"), []byte(`
import http.server, os, sys
print("listening on", os.environ["PORT"], flush=True)
http.server.HTTPServer(("127.0.0.1", int(os.environ["PORT"])), http.server.SimpleHTTPRequestHandler).serve_forever()
`), 0o600)
	text := yaml(
		svc("web", nginx, fmt.Sprintf("args: [-e, stderr, -p, %q, -c, nginx.conf]", filepath.Join(r.dir, "web")), "stop: {steps: [SIGQUIT], timeout: 5s}", "depends_on: [app]", "restart: {delay: 50ms}"),
		svc("cache", redis, fmt.Sprintf("args: [--port, %d, --bind, 127.0.0.1, --dir, cache, --save, '', --maxmemory, 10mb]", cache)),
		svc("app", python, "args: [app.py]", fmt.Sprintf("port: %d", script)),
	)
	r.write(text)
	r.start()
	before := r.allRunning()
	get := func() string {
		resp, err := http.Get(fmt.Sprintf("http://127.0.0.1:%d/", web))
		if err != nil {
			return err.Error()
		}
		defer resp.Body.Close()
		b, _ := io.ReadAll(resp.Body)
		return string(b)
	}
	r.poll("nginx to answer", func() bool { return get() == "hello\n" })
	r.poll("redis to listen", func() bool { return dial(cache) })
	r.poll("the script to listen", func() bool { return dial(script) })

	// An edit of redis' argument changes redis alone.
	r.write(strings.Replace(text, "10mb", "20mb", 1))
	r.until("redis to be started anew", func(s control.Status) bool {
		return s.Host.Spec.State == control.SpecApplied && r.pidsOf()["cache"] != before["cache"] && r.pidsOf()["cache"] != 0
	})
	after := r.pidsOf()
	if after["web"] != before["web"] || after["app"] != before["app"] {
		t.Fatalf("the edit of redis touched others: %v, then %v", before, after)
	}

	// A broken file changes nothing and is shown.
	r.write(text + "  cache: {}\n")
	s := r.until("the rejection", func(s control.Status) bool { return s.Host.Spec.State == control.SpecRejected })
	if len(s.Host.Spec.Problems) == 0 {
		t.Error("no problem is shown")
	}
	for id, pid := range r.pidsOf() {
		if pid != after[id] {
			t.Errorf("a broken file disturbed %s", id)
		}
	}

	// kill -9 of nginx' master: its workers go, and it is back on its port.
	workers := childrenOf(after["web"])
	if len(workers) < 2 {
		t.Fatalf("nginx has the workers %v", workers)
	}
	syscall.Kill(after["web"], syscall.SIGKILL)
	r.until("nginx to be back", func(s control.Status) bool {
		for _, v := range s.Services {
			if v.ID == "web" {
				return v.State == "running" && v.PID != after["web"]
			}
		}
		return false
	})
	r.poll("nginx to answer again", func() bool { return get() == "hello\n" })
	for _, w := range workers {
		if syscall.Kill(w, 0) == nil && !zombie(w) {
			t.Errorf("worker %d of the killed nginx is still there", w)
		}
	}

	// kill -9 of the host: nothing is left, and the ports are free.
	all := r.pidsOf()
	workers = childrenOf(all["web"])
	r.kill()
	gone := func() bool {
		for _, pid := range all {
			if syscall.Kill(pid, 0) == nil && !zombie(pid) {
				return false
			}
		}
		for _, pid := range workers {
			if syscall.Kill(pid, 0) == nil && !zombie(pid) {
				return false
			}
		}
		return !dial(web) && !dial(cache) && !dial(script)
	}
	r.poll("everything to be gone with the host", gone)

	// A start after that, and a stop: nothing is left either.
	r.write(text)
	r.start()
	all = r.allRunning()
	workers = childrenOf(all["web"])
	begin := time.Now()
	r.stop()
	if d := time.Since(begin); d > 10*time.Second {
		t.Errorf("the stop took %v", d)
	}
	r.poll("everything to be gone after the stop", gone)
}

func dial(port int) bool {
	c, err := net.Dial("tcp", fmt.Sprintf("127.0.0.1:%d", port))
	if err == nil {
		c.Close()
	}
	return err == nil
}

func zombie(pid int) bool {
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	return err != nil || strings.Contains(string(b), ") Z ")
}

// childrenOf looks through /proc once.
func childrenOf(pid int) []int {
	var out []int
	dirs, _ := filepath.Glob("/proc/[0-9]*/stat")
	for _, d := range dirs {
		b, err := os.ReadFile(d)
		if err != nil {
			continue
		}
		var id, parent int
		var state string
		i := strings.LastIndexByte(string(b), ')')
		fmt.Sscan(string(b), &id)
		fmt.Sscan(string(b[i+1:]), &state, &parent)
		if parent == pid {
			out = append(out, id)
		}
	}
	return out
}
