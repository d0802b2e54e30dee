package probe

import (
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"servicehost/host/human"
	"servicehost/spec"
)

func TestFileProbe(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "beat")
	a := &fileAsker{path: path, within: 10 * time.Second, busy: new(atomic.Bool)}
	check := func(a *fileAsker, want string) {
		t.Helper()
		if got := once(t, a, 5*time.Second); got.problem != want {
			t.Errorf("got %q, want %q", got.problem, want)
		}
	}
	check(a, "it is not there")
	if err := os.WriteFile(path, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	check(a, "")
	touch := func(ago time.Duration) {
		t.Helper()
		at := time.Now().Add(-ago)
		if err := os.Chtimes(path, at, at); err != nil {
			t.Fatal(err)
		}
	}
	touch(5 * time.Second)
	check(a, "")
	touch(-time.Hour) // a clock that was set back
	check(a, "")
	touch(25 * time.Second)
	check(a, "not touched for 25s, wanted every 10s")

	startup := &fileAsker{path: path, within: 10 * time.Second, since: time.Now().Add(-20 * time.Second), busy: new(atomic.Bool)}
	check(startup, "not touched since the start of the service")
	touch(15 * time.Second)
	check(startup, "")

	check(&fileAsker{path: dir, within: time.Hour, busy: new(atomic.Bool)}, "it is no plain file")
	link := filepath.Join(dir, "link")
	_ = os.Symlink(path, link) // not everywhere may everybody make one
	if _, err := os.Lstat(link); err == nil {
		touch(0)
		check(&fileAsker{path: link, within: time.Hour, busy: new(atomic.Bool)}, "it is no plain file")
	}
}

func TestFileOnADriveThatHangsFails(t *testing.T) {
	a := &fileAsker{path: "x", within: time.Hour, busy: new(atomic.Bool)}
	a.busy.Store(true)
	if got := once(t, a, time.Second); !strings.Contains(got.problem, "still no answer") {
		t.Error(got)
	}
}

// Until something is there to be asked it is looked for more often; only the rounds of the period count.
func TestTriesBesideTheRoundsDoNotCount(t *testing.T) {
	dir := t.TempDir()
	inBubble(t, func(b *bubble) {
		b.run(&spec.Health{Startup: &spec.Probe{File: filepath.Join(dir, "never"), Period: 10 * time.Second, FailureThreshold: 3}})
		b.pass(19 * time.Second)
		b.events()
		if s := b.watch.Snapshot().Probes[0]; s.Rounds != 2 || s.Failures != 2 {
			t.Errorf("%+v", s)
		}
		b.pass(time.Second)
		b.events("20s startup_failed: file " + human.Path(filepath.Join(dir, "never")) + ": it is not there")
	})
	inBubble(t, func(b *bubble) {
		path := filepath.Join(dir, "beat")
		b.run(&spec.Health{Startup: &spec.Probe{File: path, Period: 10 * time.Second, FailureThreshold: 3}})
		b.pass(3 * time.Second)
		if err := os.WriteFile(path, nil, 0o600); err != nil {
			t.Fatal(err)
		}
		b.pass(800 * time.Millisecond)
		if !b.watch.Snapshot().Started {
			t.Error("not noticed before the period was over")
		}
	})
}
