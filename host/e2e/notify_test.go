package e2e

import (
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"servicehost/host/control"
	"servicehost/host/notify"
)

const roleTell = "e2e-tell"

func init() { childRoles[roleTell] = tellChild }

// tellChild is a program that is told of alerts: it adds what it reads to FILE, with what its variables say.
func tellChild(args []string) int {
	text, err := io.ReadAll(os.Stdin)
	if err == nil {
		err = appendLine(args[0], "%s %s %s", os.Getenv("HOST_EVENT"), os.Getenv("HOST_SERVICE"), text)
	}
	if err != nil {
		fmt.Println(err)
		return 1
	}
	return 0
}

// told is an alert and when it came.
type told struct {
	notify.Alert
	came time.Time
}

// hooks receives alerts, and can go away.
type hooks struct {
	t       *testing.T
	address string
	server  *http.Server

	mu  sync.Mutex
	got []told
}

func newHooks(t *testing.T) *hooks {
	h := &hooks{t: t, address: "127.0.0.1:0"}
	h.up()
	t.Cleanup(func() { h.server.Close() })
	return h
}

func (h *hooks) up() {
	h.t.Helper()
	l, err := net.Listen("tcp", h.address)
	if err != nil {
		h.t.Fatal(err)
	}
	h.address = l.Addr().String()
	h.server = &http.Server{Handler: h}
	go func(s *http.Server) { _ = s.Serve(l) }(h.server)
}

func (h *hooks) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	var a notify.Alert
	if err := json.NewDecoder(r.Body).Decode(&a); err != nil {
		h.t.Errorf("no alert: %v", err)
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	h.got = append(h.got, told{a, time.Now()})
	w.WriteHeader(http.StatusNoContent)
}

// of are the alerts about a service, or the host where that is empty.
func (h *hooks) of(service string) (out []told) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, a := range h.got {
		if a.Service == service {
			out = append(out, a)
		}
	}
	return out
}

func (h *hooks) url() string { return "http://" + h.address + "/services/s3cret-hook" }

func notifySection(elements ...string) string {
	return "notify:\n  - " + strings.Join(elements, "\n  - ") + "\n"
}

// TestCrashLoopIsToldOnceGroupedAndResolved is what an operator gets of a service that fails again and again.
func TestCrashLoopIsToldOnceGroupedAndResolved(t *testing.T) {
	r := newRig(t)
	h := newHooks(t)
	file := filepath.Join(r.dir, "told.txt")
	exec, _ := json.Marshal([]string{self(t), roleTell, filepath.ToSlash(file)})
	bad := svc("bad", r.child("exit", "bad", "1"), "restart: {delay: 100ms, max_delay: 100ms, limit: 2, retry_after: 1s}")
	good := svc("bad", r.child("wait", "bad"), "restart: {delay: 100ms, max_delay: 100ms, limit: 2, retry_after: 1s}")
	section := notifySection(
		fmt.Sprintf(`{name: ops, webhook: "%s", group: 4s, on: [failed, recovered, host_started, host_stopped]}`, h.url()),
		fmt.Sprintf(`{name: program, exec: %s, group: 4s, on: [failed, recovered, host_stopped], timeout: 30s}`, exec),
	)
	r.write(section + yaml(bad))
	r.start()
	r.poll("the first alert", func() bool { return len(h.of("bad")) > 0 })
	first := h.of("bad")[0]
	if first.Total != 1 || first.Event != "failed" || first.Status != notify.Firing || first.Title != "bad has failed" || first.ServiceID != "bad" ||
		!strings.Contains(first.Reason, "crash loop") || !slices.Contains(first.LastLines, "bad is up") {
		t.Errorf("%+v", first.Alert)
	}
	r.poll("a summary", func() bool { return len(h.of("bad")) > 1 })
	summary := h.of("bad")[1]
	if after := summary.came.Sub(first.At); after < 3*time.Second || summary.Count < 1 || summary.Total != summary.Count+1 || summary.Alert.Alert != first.Alert.Alert || summary.ID == first.ID {
		t.Errorf("it came after %v: %+v", after, summary.Alert)
	}
	r.write(section + yaml(good))
	var end told
	r.poll("the end", func() bool {
		all := h.of("bad")
		end = all[len(all)-1]
		return end.Status == notify.Resolved
	})
	if end.Status != notify.Resolved || end.Event != "recovered" || end.Resolves != "failed" || end.DurationSeconds < 4 || end.Alert.Alert != first.Alert.Alert {
		t.Errorf("%+v", end.Alert)
	}
	if code := r.stop(); code != 0 {
		t.Errorf("the host ended with %d", code)
	}
	if got := h.of(""); len(got) != 2 || got[0].Event != "host_started" || got[1].Event != "host_stopped" {
		t.Errorf("of the host came %+v", got)
	}
	text, _ := os.ReadFile(file)
	var words []string
	for line := range strings.Lines(string(text)) {
		event, rest, _ := strings.Cut(line, " ")
		service, alert, _ := strings.Cut(rest, " ")
		var a notify.Alert
		if err := json.Unmarshal([]byte(alert), &a); err != nil || string(a.Event) != event || a.Service != service {
			t.Errorf("%v in %s", err, line)
		}
		words = append(words, event)
	}
	if len(words) < 4 || words[0] != "failed" || words[len(words)-2] != "recovered" || words[len(words)-1] != "host_stopped" {
		t.Errorf("the program was told %q", words)
	}
	if strings.Contains(r.out.String(), "s3cret") {
		t.Error("the log holds the address")
	}
}

// TestAbsentReceiverGetsEverythingOnce counts: while the receiver is away services fail, the host is killed and
// started again, and stopped and started again.
func TestAbsentReceiverGetsEverythingOnce(t *testing.T) {
	r := newRig(t)
	h := newHooks(t)
	section := notifySection(fmt.Sprintf(`{name: ops, webhook: "%s", on: [failed]}`, h.url()))
	var all []string
	failing := func(n int) string {
		name := fmt.Sprintf("f%d", n)
		all = append(all, svc(name, r.child("exit", name, "1"), "restart: no"))
		return yaml(all...)
	}
	r.write(section + failing(0))
	r.start()
	r.poll("the first alert", func() bool { return len(h.of("f0")) == 1 })
	h.server.Close()
	const services = 6
	for n := 1; n < services; n++ {
		r.write(section + failing(n))
		r.untilState(fmt.Sprintf("f%d", n), "failed")
		waiting := func(s control.Status) bool {
			return len(s.Host.Notify) == 1 && s.Host.Notify[0].Waiting >= 1
		}
		switch n {
		case 2:
			r.until("it to wait", waiting)
			r.kill()
			r.start()
		case 4:
			r.until("it to wait", waiting)
			r.stop()
			r.start()
		}
	}
	r.until("trouble", func(s control.Status) bool { return s.Host.Notify[0].State == "trouble" })
	h.up()
	r.poll("everything", func() bool { return len(h.of(fmt.Sprintf("f%d", services-1))) > 0 })
	r.until("nothing to wait", func(s control.Status) bool { return s.Host.Notify[0].Waiting == 0 && s.Host.Notify[0].State == "ok" })
	ids := map[string]int{}
	for n := range services {
		got := h.of(fmt.Sprintf("f%d", n))
		if len(got) == 0 {
			t.Errorf("f%d is not told", n)
		}
		for _, a := range got {
			if ids[a.ID]++; ids[a.ID] > 1 {
				t.Errorf("%s came twice", a.Title)
			}
		}
	}
	o := r.must(0, "notify", "test")
	if !strings.Contains(o, "took it after") {
		t.Error(o)
	}
	h.server.Close()
	if o := r.must(1, "notify", "test", "ops"); strings.Contains(o, "s3cret") {
		t.Error(o)
	}
	r.stop()
}
