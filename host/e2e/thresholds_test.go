package e2e

import (
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"servicehost/host/control"
	"servicehost/host/journal"
)

const roleThreshold = "e2e-threshold"

func init() { childRoles[roleThreshold] = thresholdChild }

// thresholdChild is MODE [FILE]: leak takes 150 MiB, chat complains, serve has a child and hands out a heap at PORT, pair has a child, tell
// writes what an action was told.
func thresholdChild(args []string) int {
	switch args[0] {
	case "leak":
		var held [][]byte
		for range 150 {
			b := make([]byte, 1<<20)
			for i := 0; i < len(b); i += 512 {
				b[i] = 1
			}
			held = append(held, b)
		}
		defer fmt.Println(len(held))
	case "chat":
		go func() {
			for range time.Tick(50 * time.Millisecond) {
				fmt.Println("login failed for bob")
			}
		}()
	case "serve", "pair":
		self, _ := os.Executable()
		if err := exec.Command(self, roleThreshold, "idle").Start(); err != nil {
			fmt.Println(err)
			return 9
		}
		if args[0] == "serve" {
			go func() {
				fmt.Println(http.ListenAndServe("127.0.0.1:"+os.Getenv("PORT"), http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.Write([]byte("a heap")) })))
			}()
		}
	case "tell":
		text := strings.Join([]string{os.Getenv("HOST_MEASURE"), os.Getenv("HOST_VALUE"), os.Getenv("HOST_LIMIT"), os.Getenv("HOST_SERVICE"), os.Getenv("HOST_PID")}, " ")
		if err := os.WriteFile(args[1], []byte(text), 0o600); err != nil {
			fmt.Println(err)
			return 9
		}
		return 0
	}
	ask := make(chan os.Signal, 1)
	signal.Notify(ask, os.Interrupt, syscall.SIGTERM)
	<-ask
	return 0
}

func thresholdCommand(t *testing.T, args ...string) string {
	b, _ := json.Marshal(append([]string{self(t), roleThreshold}, args...))
	return string(b)
}

// happened finds the first event of a kind of a service; nil: there is none yet.
func (r *rig) happened(id string, k journal.Kind) *journal.Event {
	for _, e := range events(r.t, r.must(0, "events", "-n", "1000", "-o", "json")) {
		if e.ID == id && e.Kind == k {
			return &e
		}
	}
	return nil
}

// TestThresholdsAreToldAndActedOn has one service leak, one complain and one grow children.
func TestThresholdsAreToldAndActedOn(t *testing.T) {
	r := newRig(t)
	told := filepath.ToSlash(filepath.Join(r.dir, "told"))
	chatty := func(more ...string) string {
		return svc("chatty", thresholdCommand(t, "chat"), more...)
	}
	rest := svc("leak", thresholdCommand(t, "leak"), "thresholds: [{memory: 100MiB, for: 1, action: restart}]", "restart: {delay: 1h, max_delay: 1h}") +
		svc("serve", thresholdCommand(t, "serve"), "port: auto", "thresholds: [{processes: 1, for: 1, action: dump, dump_url: 'http://127.0.0.1:${PORT}/debug/pprof/heap'}]")
	r.write(yaml(chatty("thresholds: [{log: '^login failed', count: 5, within: 1m, action: {exec: "+thresholdCommand(t, "tell", told)+"}}]"), rest))
	r.start()
	story := func() []journal.Event { return events(t, r.must(0, "events", "-n", "1000", "-o", "json")) }
	happened := r.happened
	r.poll("the lines, the leak and the children to be told", func() bool {
		return happened("chatty", journal.Threshold) != nil && happened("leak", journal.ProcessExited) != nil && happened("serve", journal.Dumped) != nil
	})
	tells(t, story(), "leak running", "leak threshold memory ", "leak stopping threshold crossed: memory ", "leak threshold_cleared the run is over", "leak backoff threshold crossed: memory ")
	e := happened("leak", journal.Threshold)
	if e.Details[journal.DetailMeasure] != "memory" || e.Details[journal.DetailLimit] != "100MiB" || e.Details[journal.DetailValue] == "" || e.PID == 0 {
		t.Errorf("%+v", e)
	}
	if why := r.must(0, "why", "leak"); !strings.Contains(why, "above 100MiB") {
		t.Errorf("why says:\n%s", why)
	}

	heap, err := os.ReadFile(happened("serve", journal.Dumped).Details[journal.DetailPath])
	if err != nil || string(heap) != "a heap" {
		t.Errorf("the dump holds %q %v", heap, err)
	}
	if d := happened("chatty", journal.Threshold).Details; d[journal.DetailMeasure] != "log" || d[journal.DetailPattern] != "^login failed" {
		t.Errorf("lines were told of with %v", d)
	}
	var text []byte
	r.poll("the action to be told", func() bool { text, _ = os.ReadFile(told); return len(text) > 0 })
	pid := r.pidsOf()["chatty"]
	if want := fmt.Sprintf("log 5 5 chatty %d", pid); string(text) != want {
		t.Errorf("the action was told %q, want %q", text, want)
	}
	of := func(id string) control.ServiceStatus {
		for _, s := range r.status().Services {
			if s.ID == id {
				return s
			}
		}
		t.Fatalf("no %s", id)
		return control.ServiceStatus{}
	}
	if s := of("chatty"); !s.AsDesired || len(s.Thresholds) != 1 || s.Thresholds[0].Measure != "log" || s.Thresholds[0].Limit != "5" {
		t.Errorf("%+v", s)
	}
	if s := of("leak"); len(s.Thresholds) != 0 || s.State != "backoff" {
		t.Errorf("%+v", s)
	}

	// An edit of thresholds touches no process, and ends what is watched no more.
	r.write(yaml(chatty(), rest))
	r.must(0, "reload")
	if s := of("chatty"); s.PID != pid || len(s.Thresholds) != 0 {
		t.Errorf("after the edit: %+v", s)
	}
	tells(t, story(), "chatty threshold 5 lines that match", "chatty threshold_cleared log \"^login failed\" is watched no more")
	if code := r.stop(); code != 0 {
		t.Errorf("the host ended with %d", code)
	}
}
