package control

import (
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"
)

func TestVarsHoldThoseOfTheHost(t *testing.T) {
	s := &Server{config: Config{Host: newFakeHost()}}
	w := httptest.NewRecorder()
	vars(s)(w, httptest.NewRequest("GET", "/debug/vars", nil))
	var got struct {
		Host     map[string]int
		Memstats runtime.MemStats
	}
	if err := json.Unmarshal(w.Body.Bytes(), &got); err != nil || got.Host["instances"] != 7 || got.Memstats.HeapAlloc == 0 {
		t.Errorf("%v in %.200s", err, w.Body)
	}
}

// TestWaitingIsRecordedOnlyWhileItIsAskedFor takes two profiles of mutexes at once.
func TestWaitingIsRecordedOnlyWhileItIsAskedFor(t *testing.T) {
	if before := runtime.SetMutexProfileFraction(-1); before != 0 {
		t.Fatalf("recorded before: %d", before)
	}
	var all sync.WaitGroup
	for range 2 {
		all.Go(func() {
			w := httptest.NewRecorder()
			contention(w, httptest.NewRequest("GET", "/debug/pprof/mutex?seconds=1", nil))
			if w.Code != http.StatusOK || !strings.HasPrefix(w.Body.String(), "\x1f\x8b") {
				t.Errorf("answered %d, %.40q", w.Code, w.Body)
			}
		})
	}
	for deadline := time.Now().Add(10 * time.Second); runtime.SetMutexProfileFraction(-1) != mutexFraction; {
		if time.Now().After(deadline) {
			t.Fatal("nothing is recorded while a profile is taken")
		}
		runtime.Gosched()
	}
	all.Wait()
	if after := runtime.SetMutexProfileFraction(-1); after != 0 {
		t.Errorf("recorded afterwards: %d", after)
	}
}

func TestRefusalSaysWhatTheHostSaid(t *testing.T) {
	for body, want := range map[string]string{
		`{"error":{"message":"no","hint":"yes"}}` + "\n":                 "no",
		"Could not enable CPU profiling: cpu profiling already in use\n": "Could not enable CPU profiling: cpu profiling already in use",
		"": "the host answered 500 Internal Server Error",
	} {
		w := httptest.NewRecorder()
		w.WriteHeader(http.StatusInternalServerError)
		_, _ = w.WriteString(body)
		resp := w.Result()
		err := refusal(resp)
		_ = resp.Body.Close()
		if e, ok := errors.AsType[*Error](err); !ok || e.Message != want || e.Status != http.StatusInternalServerError {
			t.Errorf("%q gives %v", body, err)
		}
	}
}
