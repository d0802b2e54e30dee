package host

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"go.uber.org/zap"

	"servicehost/host/control"
	"servicehost/host/journal"
	"servicehost/host/logs"
	"servicehost/host/process"
	"servicehost/host/process/processtest"
	"servicehost/host/state/statetest"
	"servicehost/host/supervisor"
	"servicehost/spec"
)

// thousand is a host over a fake backend in which a thousand services run.
func thousand(b *testing.B) *Host {
	b.Helper()
	dir := b.TempDir()
	var text strings.Builder
	text.WriteString("services:\n")
	for n := range 1000 {
		fmt.Fprintf(&text, "  s%04d: {command: [%q, run]}\n", n, filepath.Join(dir, "server"))
	}
	path := filepath.Join(dir, "services.yaml")
	for name, text := range map[string]string{path: text.String(), filepath.Join(dir, "server"): ""} {
		if err := os.WriteFile(name, []byte(text), 0o755); err != nil {
			b.Fatal(err)
		}
	}
	res := spec.Load(spec.Options{Files: []string{path}, Exe: path})
	if res.Spec == nil {
		b.Fatal(res.Problems)
	}
	s, fake := res.Spec, processtest.New()
	h := &Host{opt: Options{Version: "1.2.3"}, started: time.Now(), log: zap.NewNop(), backend: fake}
	h.current = s
	var err error
	if h.journal, err = journal.Open(filepath.Join(dir, "journal"), journal.Options{}); err != nil {
		b.Fatal(err)
	}
	h.forward = h.newForward(s.Host)
	h.logs = logs.NewSet(logs.Options{OnEvent: func(logs.Event) {}})
	h.probes = newProbes(dir)
	h.limits = h.newThresholds()
	h.sup = supervisor.New(supervisor.Options{
		Probes: h.probes, Backend: fake, Logs: h.logs, Store: &statetest.Memory{}, Publish: func(journal.Event) {}, Exe: path, SignedIn: process.SignedIn,
	})
	h.usage = h.newUsage()
	h.notify = h.newNotify(s.Host)
	b.Cleanup(func() {
		h.sup.Shutdown(context.Background(), time.Minute)
		h.usage.Close()
		h.notify.Close(context.Background())
		h.probes.set.Close()
		h.forward.Close(context.Background())
		fake.Close()
		h.logs.Close()
		h.journal.Close()
	})
	if _, err := h.sup.Apply(b.Context(), s, nil, false); err != nil {
		b.Fatal(err)
	}
	return h
}

// BenchmarkStatus1000 is the host's part of host status: the look at a thousand services and the answer in JSON.
func BenchmarkStatus1000(b *testing.B) {
	answer := control.Handler(thousand(b), nil)
	ask := httptest.NewRequest(http.MethodGet, "/v1/status", nil)
	b.ReportAllocs()
	for b.Loop() {
		w := httptest.NewRecorder()
		answer(w, ask, control.Caller{Name: "bench", Access: control.Read})
		if w.Code != http.StatusOK {
			b.Fatal(w.Body)
		}
		b.SetBytes(int64(w.Body.Len()))
	}
}
