package e2e

import (
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"servicehost/host/control"
)

func init() { childRoles[roleWeb] = webChild }

const roleWeb = "e2e-web"

// webChild is a small HTTP service: VERSION. It answers with VERSION, shares its port, says when it is ready and
// answers what has been asked before it ends. The version "bad" ends before it is ready.
func webChild(args []string) int {
	share := net.ListenConfig{Control: func(_, _ string, c syscall.RawConn) error {
		var err error
		if e := c.Control(func(fd uintptr) { err = unix.SetsockoptInt(int(fd), unix.SOL_SOCKET, unix.SO_REUSEPORT, 1) }); e != nil {
			return e
		}
		return err
	}}
	if args[0] == "bad" {
		return 4
	}
	l, err := share.Listen(context.Background(), "tcp", "127.0.0.1:"+os.Getenv("PORT"))
	if err != nil {
		fmt.Println(err)
		return 5
	}
	ask := make(chan os.Signal, 1)
	signal.Notify(ask, syscall.SIGTERM)
	s := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, args[0]) })}
	go s.Serve(l)
	if dir := os.Getenv("REGISTER"); dir != "" { // for the proxy that reads it next
		name := filepath.Join(dir, os.Getenv("HOST_INSTANCE"))
		if err := os.WriteFile(name+".new", []byte("server "+l.Addr().String()+" max_fails=0;\n"), 0o644); err != nil {
			fmt.Println(err)
			return 7
		}
		if err := os.Rename(name+".new", name+".conf"); err != nil {
			fmt.Println(err)
			return 7
		}
	}
	if c, err := net.Dial("unixgram", os.Getenv("NOTIFY_SOCKET")); err == nil {
		fmt.Fprint(c, "READY=1")
		c.Close()
	}
	<-ask
	if err := s.Shutdown(context.Background()); err != nil {
		fmt.Println(err)
		return 6
	}
	return 0
}

// load asks a server for as long as it is told, and counts.
type load struct {
	url    string
	stop   chan struct{}
	ended  sync.WaitGroup
	mu     sync.Mutex
	asked  int
	failed []string
	by     map[string]int
}

// begin asks perSecond times a second, from 16 connections.
func (l *load) begin(perSecond int) {
	const clients = 16
	l.stop, l.by = make(chan struct{}), map[string]int{}
	client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: clients}, Timeout: 10 * time.Second}
	for range clients {
		l.ended.Go(func() {
			tick := time.NewTicker(clients * time.Second / time.Duration(perSecond))
			defer tick.Stop()
			for {
				select {
				case <-l.stop:
					return
				case <-tick.C:
				}
				answer, err := l.ask(client)
				l.mu.Lock()
				if l.asked++; err != nil {
					l.failed = append(l.failed, err.Error())
				} else {
					l.by[answer]++
				}
				l.mu.Unlock()
			}
		})
	}
}

func (l *load) ask(c *http.Client) (string, error) {
	resp, err := c.Get(l.url)
	if err != nil {
		return "", err
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	if err == nil && resp.StatusCode != http.StatusOK {
		err = fmt.Errorf("%s: %s", resp.Status, b)
	}
	return string(b), err
}

func (l *load) answered(version string) int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.by[version]
}

// loadTime is how long TestRolloutUnderLoadLosesNoRequest asks at least: HOST_E2E_LOAD.
func loadTime() time.Duration {
	if d, err := time.ParseDuration(os.Getenv("HOST_E2E_LOAD")); err == nil && d > 0 {
		return d
	}
	return 5 * time.Second
}

// TestRolloutUnderLoadLosesNoRequest rolls an edit, one that is no good and a restart out, over two instances
// behind nginx, while 2000 requests a second are made: by start_first with a port that is shared, and with one of its
// own for each process, which the proxy learns of before the former one is stopped; and by stop_first.
func TestRolloutUnderLoadLosesNoRequest(t *testing.T) {
	nginx := need(t, "nginx")
	for _, c := range []struct {
		name, update, stop string
		auto               bool // port
	}{
		{"start_first", "update: {order: start_first, shared_port: true, monitor: 300ms}", "stop: {timeout: 10s}", false},
		{"start_first with port auto", "update: {order: start_first, monitor: 300ms}", "stop: {delay: 500ms, timeout: 10s}", true},
		{"stop_first", "update: {order: stop_first, monitor: 300ms}", "stop: {delay: 300ms, timeout: 10s}", false},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := newRig(t)
			front, port := freePort(t), freePorts(t, 2)
			os.MkdirAll(filepath.Join(r.dir, "tmp"), 0o755)
			servers := fmt.Sprintf("server 127.0.0.1:%d max_fails=0; server 127.0.0.1:%d max_fails=0;", port, port+1)
			where := []string{fmt.Sprintf("port: %d", port)}
			if c.auto {
				ports := filepath.Join(r.dir, "ports")
				os.Mkdir(ports, 0o755)
				servers = "include " + ports + "/*.conf;"
				where = []string{"port: auto", fmt.Sprintf("env: {REGISTER: %q}", ports),
					fmt.Sprintf("hooks: {pre_stop: [{exec: [%q, -e, stderr, -p, %q, -c, nginx.conf, -s, reload]}]}", nginx, r.dir)}
			}
			user := ""
			if os.Getuid() == 0 {
				user = "user root;\n"
				os.Chmod(r.dir, 0o755)
			}
			os.WriteFile(filepath.Join(r.dir, "nginx.conf"), fmt.Appendf(nil, `%sdaemon off;
worker_processes 1;
pid %s/nginx.pid;
error_log stderr crit;
events { worker_connections 1024; }
http {
  access_log off;
  client_body_temp_path %[2]s/tmp/a; proxy_temp_path %[2]s/tmp/b; fastcgi_temp_path %[2]s/tmp/c; uwsgi_temp_path %[2]s/tmp/d; scgi_temp_path %[2]s/tmp/e;
  upstream api { %[3]s keepalive 16; }
  server { listen 127.0.0.1:%[4]d; location / { proxy_pass http://api; proxy_http_version 1.1; proxy_set_header Connection ""; } }
}
`, user, r.dir, servers, front), 0o600)
			text := func(version string) string {
				return yaml(
					svc("api", fmt.Sprintf("[%q, %s, %s]", r.exe, roleWeb, version), append([]string{"instances: 2",
						"health: {readiness: {notify: true}}", c.update, c.stop}, where...)...),
					svc("web", nginx, fmt.Sprintf("args: [-e, stderr, -p, %q, -c, nginx.conf]", r.dir), "stop: {steps: [SIGQUIT], timeout: 5s}", "depends_on: {api: {condition: healthy}}"),
				)
			}
			r.write(text("one"))
			r.start()
			r.allRunning()
			l := &load{url: fmt.Sprintf("http://127.0.0.1:%d/", front)}
			r.poll("nginx to answer", func() bool { a, err := l.ask(http.DefaultClient); return err == nil && a == "one" })

			begin := time.Now()
			l.begin(2000)
			rolled := func(state, version string) func(control.Status) bool {
				return func(s control.Status) bool {
					for _, v := range s.Services {
						if v.Name == "api" && (v.Spec.State != state || v.State != "running" || v.Health != "healthy" || v.Rollout != nil) {
							return false
						}
					}
					return l.answered(version) > 0
				}
			}
			for n := 0; n == 0 || time.Since(begin) < loadTime(); n++ {
				version := fmt.Sprintf("v%d", n)
				r.write(text(version))
				r.until("the edit to be rolled out", rolled("applied", version))
				if n == 0 && c.name != "stop_first" { // by stop_first, a bad version leaves one instance
					before := r.pidsOf()
					r.write(text("bad"))
					r.until("the bad edit to be refused", rolled("rolled_back", version))
					if after := r.pidsOf(); after["api.1"] != before["api.1"] || after["api.2"] != before["api.2"] {
						t.Errorf("a bad edit replaced processes: %v, then %v", before, after)
					}
					r.write(text(version))
					r.until("the edit to be mended", rolled("applied", version))
				}
				r.must(0, "restart", "--rolling", "api")
			}
			close(l.stop)
			l.ended.Wait()
			took := time.Since(begin)
			t.Logf("%d requests in %v, %.0f a second, answered by %d versions", l.asked, took.Round(time.Millisecond), float64(l.asked)/took.Seconds(), len(l.by))
			if len(l.failed) > 0 {
				t.Errorf("%d of %d requests failed, the first: %s", len(l.failed), l.asked, strings.Join(l.failed[:min(3, len(l.failed))], "\n"))
			}
			if l.asked < 500 {
				t.Errorf("only %d requests: that is no load", l.asked)
			}
			stopped := strings.Contains(r.must(0, "events", "-o", "json", "-n", "10000", "api"), `"to":"stopping"`)
			if stopped != (c.name == "stop_first") {
				t.Errorf("an instance was taken down: %v", stopped)
			}
		})
	}
}

// freePort is one that nobody listens on. It is none that the system gives to who connects (32768 and more): it has to
// stay free until who is to listen there does.
func freePort(t *testing.T) int {
	t.Helper()
	for range 100 {
		l, err := net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", 20_000+rand.IntN(12_000)))
		if err == nil {
			defer l.Close()
			return l.Addr().(*net.TCPAddr).Port
		}
	}
	t.Fatal("no free port")
	return 0
}

// freePorts returns the first of n free ports in a row.
func freePorts(t *testing.T, n int) int {
	t.Helper()
	for range 50 {
		first, free := freePort(t), true
		for k := range n {
			l, err := net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", first+k))
			if err != nil {
				free = false
				break
			}
			l.Close()
		}
		if free {
			return first
		}
	}
	t.Fatalf("no %d free ports in a row", n)
	return 0
}
