package thresholds

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"
)

// taken makes one dump and waits for it.
func taken(t *testing.T, d *Dumper, target Target) (string, error) {
	t.Helper()
	type result struct {
		path string
		err  error
	}
	c := make(chan result, 1)
	d.Take(t.Context(), target, func(path string, err error) { c <- result{path, err} })
	select {
	case r := <-c:
		return r.path, r.err
	case <-time.After(time.Minute):
		t.Fatal("no dump")
		return "", nil
	}
}

func noProgram(context.Context, []string) error { return errors.New("no program may run") }

func TestHeapIsFetchedForNobodyElseToRead(t *testing.T) {
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/debug/pprof/heap" {
			http.Error(w, "there is no such thing", http.StatusNotFound)
			return
		}
		_, _ = w.Write([]byte("a heap"))
	}))
	defer s.Close()
	dir := filepath.Join(t.TempDir(), "dumps")
	d := NewDumper(dir, noProgram, nil)
	path, err := taken(t, d, Target{ID: "api.1", URL: s.URL + "/debug/pprof/heap"})
	if err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(path)
	if err != nil || string(text) != "a heap" || filepath.Dir(path) != dir || !dumpName().MatchString(filepath.Base(path)) {
		t.Errorf("%s: %q %v", path, text, err)
	}
	if info, err := os.Stat(path); runtime.GOOS != "windows" && (err != nil || info.Mode().Perm() != 0o600) {
		t.Errorf("%v %v", info.Mode(), err)
	}
	if _, err := taken(t, d, Target{ID: "api.1", URL: s.URL + "/heap"}); err == nil || !strings.Contains(err.Error(), "404") {
		t.Errorf("got %v", err)
	}
	if list, err := os.ReadDir(dir); err != nil || len(list) != 1 {
		t.Errorf("a failed dump left %v %v", list, err)
	}
}

func TestOldestDumpsOfAnInstanceGo(t *testing.T) {
	s := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	defer s.Close()
	dir := filepath.Join(t.TempDir(), "dumps")
	d := NewDumper(dir, noProgram, nil)
	if _, err := taken(t, d, Target{ID: "api", URL: s.URL}); err != nil {
		t.Fatal(err)
	}
	others := []string{"api.1-20260101T000000.000Z.core", "api-b-20260101T000000.000Z.core", "api-notes.txt"}
	own := []string{"api-20260101T000000.000Z.core", "api-20260102T000000.000Z.pprof", "api-20260103T000000.000Z.core.4711", "api-20260104T000000.000Z.core"}
	for _, name := range slices.Concat(others, own) {
		if err := os.WriteFile(filepath.Join(dir, name), nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	newest, err := taken(t, d, Target{ID: "api", URL: s.URL})
	if err != nil {
		t.Fatal(err)
	}
	list, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	var left []string
	for _, e := range list {
		left = append(left, e.Name())
	}
	for _, name := range others {
		if !slices.Contains(left, name) {
			t.Errorf("%s is gone", name)
		}
	}
	if len(left) != len(others)+kept || !slices.Contains(left, filepath.Base(newest)) || slices.Contains(left, own[0]) || slices.Contains(left, own[1]) {
		t.Errorf("left are %v", left)
	}
}

func TestDumpNeedsRoom(t *testing.T) {
	d := NewDumper(filepath.Join(t.TempDir(), "dumps"), noProgram, func(string) (int64, error) { return 100, nil })
	_, err := taken(t, d, Target{ID: "api", PID: 1, Memory: 51})
	if err == nil || !strings.Contains(err.Error(), "no room") || !strings.Contains(err.Error(), "host.state_dir") {
		t.Errorf("got %v", err)
	}
}

func TestOneDumpOfAnInstanceAtATime(t *testing.T) {
	asked, answer := make(chan bool, 10), make(chan bool)
	s := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { asked <- true; <-answer }))
	defer s.Close()
	d := NewDumper(filepath.Join(t.TempDir(), "dumps"), noProgram, nil)
	done := make(chan error, 2)
	for range 2 {
		d.Take(t.Context(), Target{ID: "api", URL: s.URL}, func(_ string, err error) { done <- err })
	}
	<-asked
	close(answer)
	if err := <-done; err != nil {
		t.Error(err)
	}
	d.Wait()
	if len(done) > 0 || len(asked) > 0 {
		t.Error("two dumps were made")
	}
}

func TestEndOfTheHostEndsADump(t *testing.T) {
	asked := make(chan bool)
	s := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { close(asked); <-r.Context().Done() }))
	defer s.Close()
	ctx, cancel := context.WithCancel(t.Context())
	d := NewDumper(filepath.Join(t.TempDir(), "dumps"), noProgram, nil)
	d.Take(ctx, Target{ID: "api", URL: s.URL}, func(string, error) { t.Error("it was told") })
	<-asked
	cancel()
	d.Wait()
}
