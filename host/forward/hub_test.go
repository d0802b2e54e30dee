package forward

import (
	"context"
	"os"
	"path/filepath"
	"testing"
	"time"

	"servicehost/spec"
)

func jsonTarget(s *server) spec.LogTarget {
	return spec.LogTarget{Type: spec.TargetJSON, URL: s.URL, Spool: 1 << 20, Timeout: 5 * time.Second}
}

// lines of all requests, in order.
func (s *server) texts(t *testing.T) []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	var out []string
	for _, r := range s.got {
		out = append(out, textsOf(t, r.body)...)
	}
	return out
}

func closeHub(t *testing.T, h *Hub, wait time.Duration) {
	ctx, cancel := context.WithTimeout(context.Background(), wait)
	defer cancel()
	h.Close(ctx)
}

func TestSinkIsTheSameOverChangesOfTheTarget(t *testing.T) {
	s := newServer(t, false, nil)
	h := New(Options{Dir: filepath.Join(t.TempDir(), "spool"), Host: "here"})
	sink := h.Sink("one")
	sink.Take(line(99)) // there is no target yet
	h.Apply(map[string]spec.LogTarget{"one": jsonTarget(s)})
	if h.Sink("one") != sink {
		t.Error("the sink is another one")
	}
	for n := range 10 {
		sink.Take(line(n))
	}
	poll(t, "ten records", func() bool { return len(s.texts(t)) == 10 })
	poll(t, "their answer", func() bool { return h.Stats()[0].SentRecords == 10 }) // without it they go to the next target, too
	next := newServer(t, false, nil)
	h.Apply(map[string]spec.LogTarget{"one": jsonTarget(next)})
	for n := 10; n < 20; n++ {
		sink.Take(line(n))
	}
	poll(t, "ten more", func() bool { return len(next.texts(t)) == 10 })
	numbers(t, append(s.texts(t), next.texts(t)...), 0, 20)
	poll(t, "the statistics", func() bool {
		st := h.Stats()
		return len(st) == 1 && st[0].Name == "one" && st[0].SentRecords == 20 && st[0].WaitingRecords == 0 && st[0].Type == spec.TargetJSON
	})
	closeHub(t, h, time.Second)
	sink.Take(line(99))
	h.Apply(map[string]spec.LogTarget{"one": jsonTarget(next)})
	if st := h.Stats(); len(st) != 1 {
		t.Errorf("%+v", st)
	}
}

// TestSpoolWaitsForARemovedTarget: taken out of the spec and put back, by another address, it gets what waited.
func TestSpoolWaitsForARemovedTarget(t *testing.T) {
	down := newServer(t, false, status(503))
	h := New(Options{Dir: filepath.Join(t.TempDir(), "spool"), Host: "here"})
	h.Apply(map[string]spec.LogTarget{"one": jsonTarget(down)})
	sink := h.Sink("one")
	for n := range 10 {
		sink.Take(line(n))
	}
	poll(t, "a try", func() bool { down.mu.Lock(); defer down.mu.Unlock(); return len(down.got) > 0 })
	h.Apply(nil)
	sink.Take(line(99))
	up := newServer(t, false, nil)
	h.Apply(map[string]spec.LogTarget{"one": jsonTarget(up)})
	poll(t, "what waited", func() bool { return len(up.texts(t)) == 10 })
	numbers(t, up.texts(t), 0, 10)
	closeHub(t, h, time.Second)
}

func TestCloseKeepsWhatIsNotSent(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "spool")
	down := newServer(t, false, status(503))
	h := New(Options{Dir: dir, Host: "here"})
	h.Apply(map[string]spec.LogTarget{"one": jsonTarget(down)})
	for n := range 10 {
		h.Sink("one").Take(line(n))
	}
	closeHub(t, h, time.Second)
	up := newServer(t, false, nil)
	h = New(Options{Dir: dir, Host: "here"})
	h.Apply(map[string]spec.LogTarget{"one": jsonTarget(up)})
	poll(t, "what was kept", func() bool { return len(up.texts(t)) == 10 })
	closeHub(t, h, time.Second)
	numbers(t, up.texts(t), 0, 10)
}

func TestForgottenSpoolsAreDeleted(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "spool")
	old := time.Now().Add(-8 * 24 * time.Hour)
	make1 := func(name, file string, at time.Time) string {
		sub := filepath.Join(dir, name)
		if err := os.MkdirAll(sub, 0o700); err != nil {
			t.Fatal(err)
		}
		path := filepath.Join(sub, file)
		if err := os.WriteFile(path, []byte("x"), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.Chtimes(path, at, at); err != nil {
			t.Fatal(err)
		}
		return path
	}
	gone := make1("gone", segmentName(1), old)
	young := make1("young", segmentName(1), time.Now())
	foreign := make1("foreign", "notes.txt", old)
	used := make1("used", segmentName(1), old)
	s := newServer(t, false, nil)
	h := New(Options{Dir: dir, Host: "here"})
	h.sweep(map[string]spec.LogTarget{"used": jsonTarget(s)})
	if _, err := os.Stat(filepath.Dir(gone)); err == nil {
		t.Error("a spool that nobody came back to is still there")
	}
	for _, path := range []string{young, foreign, used} {
		if _, err := os.Stat(path); err != nil {
			t.Error(err)
		}
	}
}
