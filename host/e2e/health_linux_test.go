package e2e

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/user"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"servicehost/host/control"
	"servicehost/host/journal"
)

// apiProgram needs the database: its /ready asks it. LATER is replaced for versions that do not work.
const apiProgram = `#!%s
import http.server, subprocess, sys, os
LATER = None
if len(sys.argv) > 1 and sys.argv[1] not in ("--never-ready", "--verbose"):
    sys.exit("unknown option " + sys.argv[1])
never = len(sys.argv) > 1 and sys.argv[1] == "--never-ready" or LATER == "never"
class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        ask = [os.environ["PSQL"], "-h", "127.0.0.1", "-p", os.environ["DB_PORT"], "-U", "postgres", "-tAc", "select 41 + 1"]
        r = subprocess.run(ask, capture_output=True, text=True, timeout=10)
        ok = r.returncode == 0 and not never
        body = (r.stdout if ok else "no answer: " + r.stderr).encode()
        self.send_response(200 if ok else 503)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
    def log_message(self, *a): pass
print("version", LATER, "listens", flush=True)
http.server.ThreadingHTTPServer(("127.0.0.1", int(os.environ["PORT"])), Handler).serve_forever()
`

// needPostgres finds the programs of postgres, which Debian keeps out of PATH.
func needPostgres(t *testing.T) string {
	t.Helper()
	if dirs, _ := filepath.Glob("/usr/lib/postgresql/*/bin/postgres"); len(dirs) > 0 {
		return filepath.Dir(dirs[len(dirs)-1])
	}
	return filepath.Dir(need(t, "postgres"))
}

// heals is a database, an API that needs it, a web server in front of both and a job.
type heals struct {
	*rig
	t              *testing.T
	api, text      string
	db, port, web  int
	program, hangs string
}

func newHeals(t *testing.T) *heals {
	bin, nginx, python := needPostgres(t), need(t, "nginx"), need(t, "python3")
	h := &heals{rig: newRig(t), t: t, db: freePort(t), port: freePort(t), web: freePort(t)}
	account, root := "", ""
	for _, d := range []string{"web", "tmp", "app", "pg"} {
		if err := os.MkdirAll(filepath.Join(h.dir, d), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	if os.Getuid() == 0 { // postgres does not run as root
		p, err := user.Lookup("postgres")
		if err != nil {
			t.Fatal(err)
		}
		uid, _ := strconv.Atoi(p.Uid)
		gid, _ := strconv.Atoi(p.Gid)
		if err := os.Chown(filepath.Join(h.dir, "pg"), uid, gid); err != nil {
			t.Fatal(err)
		}
		for _, d := range []string{h.dir, filepath.Dir(h.dir)} { // it has to get there
			if err := os.Chmod(d, 0o755); err != nil {
				t.Fatal(err)
			}
		}
		account, root = "user: postgres", "user root;\n"
	}
	h.api, h.hangs = filepath.Join(h.dir, "app", "api"), filepath.Join(h.dir, "hang")
	h.program = fmt.Sprintf(apiProgram, python)
	h.put(h.api, h.program)
	h.put(filepath.Join(h.dir, "web/nginx.conf"), fmt.Sprintf(`%sdaemon off;
worker_processes 1;
pid %s/web/nginx.pid;
error_log stderr;
events {}
http {
  access_log off;
  client_body_temp_path %[2]s/tmp/a; proxy_temp_path %[2]s/tmp/b; fastcgi_temp_path %[2]s/tmp/c; uwsgi_temp_path %[2]s/tmp/d; scgi_temp_path %[2]s/tmp/e;
  server {
    listen 127.0.0.1:%d;
    location = /up { return 200 "up\n"; }
    location / { proxy_pass http://127.0.0.1:%d; }
  }
}
`, root, h.dir, h.web, h.port))
	command := func(argv ...string) string {
		b, _ := json.Marshal(argv)
		return string(b)
	}
	const quick = "period: 200ms, timeout: 3s, failure_threshold: 2"
	h.text = yaml(
		svc("init", command(filepath.Join(bin, "initdb"), "-D", "data", "-A", "trust", "-U", "postgres", "--no-sync"), "type: oneshot", "dir: pg", account),
		svc("db", command(filepath.Join(bin, "postgres"), "-D", "data", "-p", strconv.Itoa(h.db), "-h", "127.0.0.1", "-k", "", "-F"),
			"dir: pg", account, "depends_on: {init: {condition: completed}}", "restart: {delay: 3s}", "stop: {steps: [SIGINT], timeout: 10s}",
			"health: {readiness: {exec: "+command(filepath.Join(bin, "pg_isready"), "-q", "-h", "127.0.0.1", "-p", strconv.Itoa(h.db))+", "+quick+"}}"),
		svc("api", command(h.api, "--verbose"), fmt.Sprintf("port: %d", h.port),
			fmt.Sprintf("env: {DB_PORT: '%d', PSQL: %s}", h.db, filepath.Join(bin, "psql")),
			"depends_on: {db: {condition: healthy}}", "watch: {shadow_copy: true, quiet: 300ms}", "update: {timeout: 6s, monitor: 1s}",
			"restart: {delay: 100ms}", fmt.Sprintf("health: {readiness: {http: 'http://127.0.0.1:%d/ready', %s}}", h.port, quick)),
		svc("worker", command(python, "-c", "import time; print('up', flush=True); time.sleep(3600)"), "depends_on: {db: {condition: healthy, restart: true}}"),
		svc("web", command(nginx, "-e", "stderr", "-p", filepath.Join(h.dir, "web"), "-c", "nginx.conf"), "depends_on: {api: {condition: healthy}}",
			"stop: {steps: [SIGQUIT], timeout: 5s}", fmt.Sprintf("health: {readiness: {http: 'http://127.0.0.1:%d/up', %s}}", h.web, quick)),
		svc("report", command(python, "-c", "import os, sys, time\nwhile os.path.exists(sys.argv[1]): time.sleep(.05)", h.hangs),
			"type: scheduled", "schedule: {cron: '* * * * * *', overlap: skip}", "max_runtime: 3s", "stop: {timeout: 1s}"),
	)
	return h
}

func (h *heals) put(path, text string) {
	h.t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o755); err != nil {
		h.t.Fatal(err)
	}
}

// ask is what the API says behind the web server.
func (h *heals) ask() string {
	resp, err := http.Get(fmt.Sprintf("http://127.0.0.1:%d/", h.web))
	if err != nil {
		return err.Error()
	}
	defer resp.Body.Close()
	b, _ := io.ReadAll(resp.Body)
	return string(b)
}

func (h *heals) untilHealthy(ids ...string) {
	h.t.Helper()
	for _, id := range ids {
		h.poll(id+" to be healthy", func() bool { s := h.service(id); return s.State == "running" && s.Health == "healthy" })
	}
}

// story are the events, oldest first.
func (h *heals) story() []journal.Event {
	h.t.Helper()
	return events(h.t, h.must(0, "events", "-n", "100000", "-o", "json"))
}

// TestRealProgramsHeal breaks a database, an API and a job in the ways of an ordinary week: each heals by itself, as
// its spec says, and the events tell the story in order.
func TestRealProgramsHeal(t *testing.T) {
	h := newHeals(t)
	h.write(h.text)
	h.start()
	h.untilHealthy("db", "api", "worker", "web")
	h.poll("an answer through all of them", func() bool { return h.ask() == "42\n" })
	tells(t, h.story(), "init exited", "db starting", "db healthy", "api starting", "api healthy", "web starting", "web healthy")
	h.until("the job to have run", func(control.Status) bool { return len(h.service("report").Runs) > 0 })

	t.Run("database killed", h.killed)
	t.Run("bad edits", h.edited)
	t.Run("bad programs", h.deployed)
	t.Run("hanging job", h.hanging)
	h.must(0, "status")
	if code := h.stop(); code != 0 && code != 143 {
		t.Errorf("the host ended with %d", code)
	}
	if dial(h.db) || dial(h.port) || dial(h.web) {
		t.Error("something still listens")
	}
}

func (h *heals) killed(t *testing.T) {
	before, from := h.pidsOf(), len(h.story())
	syscall.Kill(before["db"], syscall.SIGKILL)
	h.poll("the database to be back", func() bool { s := h.service("db"); return s.PID != before["db"] && s.Health == "healthy" })
	h.poll("the worker to be restarted", func() bool { s := h.service("worker"); return s.PID != before["worker"] && s.State == "running" })
	h.poll("the API to notice", func() bool {
		for _, e := range h.story()[from:] {
			if e.ID == "api" && e.Kind == journal.Recovered {
				return true
			}
		}
		return false
	})
	h.poll("an answer", func() bool { return h.ask() == "42\n" })
	if now := h.pidsOf(); now["api"] != before["api"] || now["web"] != before["web"] {
		t.Errorf("restarted without being asked to: %v, then %v", before, now)
	}
	story := h.story()[from:]
	tells(t, story, "db exited ended by SIGKILL", "db backoff", "db running", "db healthy", "worker running")
	tells(t, story, "db exited", "api unhealthy status 503", "api recovered")
}

func (h *heals) wentBack(t *testing.T, from int, rejected string, why string) string {
	t.Helper()
	h.poll("api to go back", func() bool {
		s := h.service("api")
		return s.Spec.State == "rolled_back" && s.Spec.Rejected != rejected && s.State == "running" && s.Health == "healthy"
	})
	h.poll("an answer of the former one", func() bool { return h.ask() == "42\n" })
	tells(t, h.story()[from:], "api stopping", "api rolled_back "+why, "api running", "api healthy")
	if out := h.must(0, "why", "api"); !strings.Contains(out, why) {
		t.Errorf("why said:\n%s", out)
	}
	return h.service("api").Spec.Rejected
}

func (h *heals) edited(t *testing.T) {
	others := h.pidsOf()
	h.must(0, "reload", "--wait")
	rejected := ""
	for option, why := range map[string]string{"--bogus": "exit 1", "--never-ready": "not ready within update.timeout, 6s: http http://127.0.0.1"} {
		from := len(h.story())
		h.write(strings.Replace(h.text, "--verbose", option, 1))
		rejected = h.wentBack(t, from, rejected, why)
	}
	h.write(h.text)
	h.until("the mended file", func(s control.Status) bool { return s.Host.Spec.State == control.SpecApplied })
	for _, id := range []string{"db", "web", "worker"} {
		if now := h.service(id).PID; now != others[id] {
			t.Errorf("the edits of api restarted %s", id)
		}
	}
}

func (h *heals) deployed(t *testing.T) {
	h.must(0, "reload", "--wait")
	rejected := ""
	for later, why := range map[string]string{"(": "exit 1", `"never"`: "not ready within update.timeout"} {
		from := len(h.story())
		h.put(h.api, strings.Replace(h.program, "LATER = None", "LATER = "+later, 1))
		rejected = h.wentBack(t, from, rejected, why)
	}
	h.put(h.api, strings.Replace(h.program, "LATER = None", `LATER = "good"`, 1))
	h.poll("the good one", func() bool { s := h.service("api"); return s.Spec.State == "applied" && s.Health == "healthy" })
	h.poll("an answer of the good one", func() bool { return h.ask() == "42\n" })
	if out := h.must(0, "logs", "api", "-n", "1"); !strings.Contains(out, "version good") {
		t.Errorf("logs said:\n%s", out)
	}
}

func (h *heals) hanging(t *testing.T) {
	from := len(h.story())
	h.put(h.hangs, "")
	h.poll("a run to be ended at max_runtime", func() bool {
		s := h.service("report")
		return len(s.Runs) > 0 && strings.Contains(s.Runs[0].Text, "SIG") && !s.Runs[0].Success
	})
	if err := os.Remove(h.hangs); err != nil {
		t.Fatal(err)
	}
	h.poll("the next run to be all right", func() bool {
		s := h.service("report")
		return len(s.Runs) > 0 && s.Runs[0].Success && s.AsDesired && s.NextRun != nil
	})
	// The run that hangs may have begun just before the file was put.
	tells(t, h.story()[from:], "report skipped", "report stopping it ran for max_runtime, 3s", "report exited", "report running")
}
