package control

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

func copyTo(w io.Writer, resp *http.Response) (int64, error) { return io.Copy(w, resp.Body) }

func TestRunningListsLivingHostsOnly(t *testing.T) {
	dir := testDir(t)
	serve(t, dir, newFakeHost(), Entry{Name: "b", Files: []string{filepath.Join(dir, "b.yaml")}, StateDir: "/s", LogsDir: "/l", Version: "1"})
	s2, _ := serve(t, dir, newFakeHost(), Entry{Name: "a", Files: []string{filepath.Join(dir, "a.yaml")}})

	dead := s2.Entry()
	dead.Address += "dead"
	dead.Name = "dead"
	stale := filepath.Join(dir, "0123456789abcdef.json")
	if err := writeEntry(stale, dead); err != nil {
		t.Fatal(err)
	}
	for name, content := range map[string]string{"broken.json": "{", "other.json": `{"name":"x"}`, "readme.txt": "hi"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}

	all, err := Running(t.Context())
	if err != nil || len(all) != 2 || all[0].Name != "a" || all[1].Name != "b" {
		t.Fatalf("running: %+v, %v", all, err)
	}
	if e := all[1]; e.PID != os.Getpid() || e.StateDir != "/s" || e.LogsDir != "/l" || e.Version != "1" || e.Created.IsZero() {
		t.Errorf("entry %+v", e)
	}
	if _, err := os.Stat(stale); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the registration of a dead host is still there: %v", err)
	}
	if _, err := os.Stat(filepath.Join(dir, "readme.txt")); err != nil {
		t.Errorf("a foreign file is gone: %v", err)
	}
}

func TestRunningWithoutAnyRunDirectory(t *testing.T) {
	t.Setenv(runDirVariable, filepath.Join(tempDir(t), "none"))
	if all, err := Running(t.Context()); err != nil || len(all) != 0 {
		t.Errorf("running: %v, %v", all, err)
	}
	_, err := Find(t.Context(), Selector{})
	var none *NoHostError
	if !errors.As(err, &none) || err.Error() != "no host is running" {
		t.Errorf("got %v", err)
	}
}

func TestForgetSparesANewerHost(t *testing.T) {
	path := filepath.Join(tempDir(t), "x.json")
	old := Entry{PID: 1, Address: "a", Created: time.Unix(1, 0)}
	now := Entry{PID: 1, Address: "a", Created: time.Unix(2, 0)}
	if err := writeEntry(path, now); err != nil {
		t.Fatal(err)
	}
	forget(path, old)
	if e, err := readEntry(path); err != nil || !e.Created.Equal(now.Created) {
		t.Errorf("entry %+v, %v", e, err)
	}
	forget(path, now)
	if _, err := os.Stat(path); err == nil {
		t.Error("the entry is still there")
	}
}

func TestSelectorPicksOne(t *testing.T) {
	dir := tempDir(t)
	file := func(name string) string { return filepath.Join(dir, name) }
	entry := func(name string, files ...string) Entry {
		e := Entry{Name: name, PID: 1, Address: name}
		for _, f := range files {
			e.Files = append(e.Files, file(f))
			e.Resolved = append(e.Resolved, Canonical(file(f)))
		}
		return e
	}
	orders, billing := entry("orders", "orders.yaml"), entry("billing", "base.yaml", "billing.yaml")
	base := entry("base", "base.yaml")
	tests := []struct {
		name    string
		running []Entry
		s       Selector
		want    string // the host, or words of the error
	}{
		{"the only one", []Entry{orders}, Selector{}, "orders"},
		{"none", nil, Selector{}, "no host is running"},
		{"two", []Entry{orders, billing}, Selector{}, "2 hosts are running"},
		{"by name", []Entry{orders, billing}, Selector{Name: "ORDERS"}, "orders"},
		{"by unknown name", []Entry{orders}, Selector{Name: "web"}, `no host named "web"`},
		{"by file", []Entry{orders, billing}, Selector{Files: []string{file("orders.yaml")}}, "orders"},
		{"by an overlay", []Entry{orders, billing}, Selector{Files: []string{file("billing.yaml")}}, "billing"},
		{"exact before part", []Entry{billing, base}, Selector{Files: []string{file("base.yaml")}}, "base"},
		{"by all files", []Entry{billing, base}, Selector{Files: []string{file("base.yaml"), file("billing.yaml")}}, "billing"},
		{"by another file", []Entry{orders}, Selector{Files: []string{file("x.yaml")}}, "no host is running with"},
		{"file and name differ", []Entry{orders, billing}, Selector{Files: []string{file("orders.yaml")}, Name: "billing"}, `no host named "billing" is running with`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			e, err := tt.s.pick(tt.running)
			got := e.Name
			if err != nil {
				got = err.Error()
			}
			if !strings.HasPrefix(got, tt.want) {
				t.Errorf("got %q, want %q", got, tt.want)
			}
			var none *NoHostError
			if errors.As(err, &none) && len(none.Others) != len(tt.running) {
				t.Errorf("%d others are told, want %d", len(none.Others), len(tt.running))
			}
		})
	}
}

func TestCanonicalOfWhatDoesNotExist(t *testing.T) {
	dir := tempDir(t)
	if got, want := Canonical(filepath.Join(dir, "no", "such", "file")), filepath.Join(Canonical(dir), fold(filepath.Join("no", "such", "file"))); got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	t.Chdir(dir)
	if got, want := Canonical("x.yaml"), Canonical(filepath.Join(dir, "x.yaml")); got != want {
		t.Errorf("relative %q, absolute %q", got, want)
	}
}

func TestEntryIsAContract(t *testing.T) {
	data, err := json.Marshal(Entry{})
	if err != nil {
		t.Fatal(err)
	}
	for _, key := range []string{"name", "version", "pid", "created", "files", "address", "state_dir", "logs_dir"} {
		if !strings.Contains(string(data), `"`+key+`":`) {
			t.Errorf("no %q in %s", key, data)
		}
	}
}

func TestRunningEndsWithItsContext(t *testing.T) {
	testDir(t)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := Running(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
}
