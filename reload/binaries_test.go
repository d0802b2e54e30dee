package reload

import (
	"context"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

// watched is a watch on one group that relies on events alone unless the test says otherwise.
func watched(t *testing.T, quiet time.Duration, o BinariesOptions, paths ...string) *Binaries {
	t.Helper()
	if o.Poll == 0 {
		o.Poll = time.Hour
	}
	ctx, cancel := context.WithCancel(context.Background())
	b := WatchBinaries(ctx, o)
	t.Cleanup(func() {
		cancel()
		<-b.Done()
	})
	b.SetGroups([]Group{{Name: "g", Paths: paths, Quiet: quiet}})
	found(t, b)
	return b
}

// found waits for news and returns what the group holds.
func found(t *testing.T, b *Binaries) Content {
	t.Helper()
	select {
	case <-b.C():
	case <-time.After(10 * time.Second):
		c, _ := b.Content("g")
		t.Fatalf("no news since %+v", c)
	}
	c, ok := b.Content("g")
	if !ok {
		t.Fatal("news, but nothing is known")
	}
	return c
}

// sawNothing looks at everything at once and wants no news.
func sawNothing(t *testing.T, b *Binaries, why string) {
	t.Helper()
	b.Settle(t.Context())
	select {
	case <-b.C():
		t.Errorf("news: %s", why)
	default:
	}
}

func TestBinariesTellOfChangedContentOnly(t *testing.T) {
	dir := t.TempDir()
	exe := filepath.Join(dir, "api.exe")
	write(t, exe, "one")
	b := watched(t, 20*time.Millisecond, BinariesOptions{}, exe)
	first, _ := b.Content("g")
	if len(first.Files) != 1 || !first.Since.IsZero() {
		t.Errorf("first: %+v", first)
	}
	now := time.Now().Add(time.Minute)
	must(t, os.Chtimes(exe, now, now))
	write(t, filepath.Join(dir, "other.txt"), "x")
	sawNothing(t, b, "a touch, another file")
	before := time.Now()
	write(t, exe, "two")
	c := found(t, b)
	if c.Hash == first.Hash || c.Since.Before(before) {
		t.Errorf("after a write: %+v", c)
	}
	write(t, exe, "one")
	if c := found(t, b); c.Hash != first.Hash {
		t.Error("the same content has another hash")
	}
}

// TestBinariesTakeADeploymentAsOne: many files over a time longer than quiet, with pauses shorter than that.
func TestBinariesTakeADeploymentAsOne(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "app")
	write(t, filepath.Join(dir, "api.exe"), "one")
	const quiet = 400 * time.Millisecond
	b := watched(t, quiet, BinariesOptions{}, dir)
	n := 0
	var last time.Time
	deploy := func() (pause time.Duration) {
		begin := time.Now()
		for last = begin; last.Sub(begin) < 2*quiet; time.Sleep(20 * time.Millisecond) {
			write(t, filepath.Join(dir, "lib", string(rune('a'+n%26))+".dll"), strings.Repeat("x", n))
			write(t, filepath.Join(dir, "api.exe"), strings.Repeat("y", n))
			n++
			now := time.Now()
			pause, last = max(pause, now.Sub(last)), now
		}
		return pause
	}
	for deploy() > quiet/2 { // this machine stood still: those were several deployments
		found(t, b)
		b.Settle(t.Context())
		select {
		case <-b.C():
		default:
		}
	}
	c := found(t, b)
	if at := time.Since(last); at < quiet/2 {
		t.Errorf("told %v after the last write, want %v", at, quiet)
	}
	if len(c.Files) != min(n, 26)+1 {
		t.Errorf("%d files", len(c.Files))
	}
	sawNothing(t, b, "the same deployment again")
}

func TestBinariesSeeFilesGoAndComeBack(t *testing.T) {
	dir := t.TempDir()
	exe := filepath.Join(dir, "app", "api.exe")
	write(t, exe, "one")
	b := watched(t, 20*time.Millisecond, BinariesOptions{}, exe)
	first, _ := b.Content("g")
	must(t, os.Rename(filepath.Join(dir, "app"), filepath.Join(dir, "old")))
	if c := found(t, b); !slices.Equal(c.Missing, []string{exe}) {
		t.Errorf("gone: %+v", c)
	}
	write(t, exe, "one")
	c := found(t, b)
	for len(c.Missing) > 0 { // on a busy machine quiet may pass between folder and file
		c = found(t, b)
	}
	if c.Hash != first.Hash {
		t.Errorf("back: %+v", c)
	}
	write(t, exe, "two") // the folder is another one now
	found(t, b)
}

func TestBinariesPollWhereNothingTells(t *testing.T) {
	exe := filepath.Join(t.TempDir(), "api.exe")
	write(t, exe, "one")
	b := watched(t, 10*time.Millisecond, BinariesOptions{Poll: 20 * time.Millisecond, Exclude: func(string) bool { return false }}, exe)
	b.mu.Lock()
	for _, g := range b.groups {
		g.want = nil // no event concerns it
	}
	b.mu.Unlock()
	write(t, exe, "two, longer")
	found(t, b)
}

func TestBinariesAreRecheckedWhenAsked(t *testing.T) {
	exe := filepath.Join(t.TempDir(), "api.exe")
	write(t, exe, "one")
	b := watched(t, 10*time.Millisecond, BinariesOptions{}, exe)
	b.mu.Lock()
	for _, g := range b.groups {
		g.want = nil // no event concerns it
	}
	b.mu.Unlock()
	write(t, exe, "two, longer")
	b.Recheck()
	found(t, b)
}

func TestBinariesReadOnlyWhatWasTouched(t *testing.T) {
	dir := t.TempDir()
	old := time.Now().Add(-time.Hour)
	for _, name := range []string{"a", "b"} {
		write(t, filepath.Join(dir, name), name)
		must(t, os.Chtimes(filepath.Join(dir, name), old, old))
	}
	b := watched(t, 10*time.Millisecond, BinariesOptions{}, dir)
	b.mu.Lock()
	for path, h := range b.hashes { // as if it had been read long ago, with another result
		h.fresh, h.hash = false, "kept"
		b.hashes[path] = h
	}
	b.mu.Unlock()
	write(t, filepath.Join(dir, "b"), "changed")
	c := found(t, b)
	if c.Files[filepath.Join(dir, "a")] != "kept" || c.Files[filepath.Join(dir, "b")] == "kept" {
		t.Errorf("%v", c.Files)
	}
}

func TestBinariesSeeChangesInSubfolders(t *testing.T) {
	dir := t.TempDir()
	write(t, filepath.Join(dir, "lib", "deep", "a.dll"), "one")
	b := watched(t, 50*time.Millisecond, BinariesOptions{}, dir) // no poll helps
	write(t, filepath.Join(dir, "lib", "deep", "a.dll"), "two")
	first := found(t, b)
	write(t, filepath.Join(dir, "new", "er", "b.dll"), "one")
	c := found(t, b)
	for len(c.Files) < 2 { // the folders may have been quiet before the file came
		c = found(t, b)
	}
	if c.Hash == first.Hash {
		t.Error("the same hash")
	}
	write(t, filepath.Join(dir, "new", "er", "b.dll"), "two")
	found(t, b)
	must(t, os.Rename(filepath.Join(dir, "new"), filepath.Join(dir, "moved"))) // nothing holds it
	for c = found(t, b); c.Files[filepath.Join(dir, "moved", "er", "b.dll")] == ""; c = found(t, b) {
	}
}

func TestBinariesWatchAFolderThatComesBack(t *testing.T) {
	base := t.TempDir()
	dir := filepath.Join(base, "app")
	write(t, filepath.Join(dir, "lib", "a.dll"), "one")
	b := watched(t, 50*time.Millisecond, BinariesOptions{Poll: pollOfNewFolders}, dir)
	must(t, os.Rename(dir, filepath.Join(base, "old")))
	found(t, b)
	write(t, filepath.Join(dir, "lib", "a.dll"), "two")
	for c := found(t, b); len(c.Files) == 0; c = found(t, b) {
	}
	write(t, filepath.Join(dir, "lib", "a.dll"), "three")
	found(t, b)
}

func TestBinariesLeaveOutWhatIsExcluded(t *testing.T) {
	dir := t.TempDir()
	write(t, filepath.Join(dir, "api.exe"), "one")
	write(t, filepath.Join(dir, ".host", "records"), "one")
	b := watched(t, 10*time.Millisecond, BinariesOptions{Exclude: func(p string) bool { return strings.Contains(p, ".host") }}, dir)
	write(t, filepath.Join(dir, ".host", "records"), "two")
	sawNothing(t, b, "what the host itself writes")
	b.treeChanged(dir, filepath.Join(dir, ".host", "records"))
	b.mu.Lock()
	if !b.groups["g"].due.IsZero() {
		t.Error("what is excluded has the files looked at")
	}
	b.mu.Unlock()
	if c, _ := b.Content("g"); len(c.Files) != 1 {
		t.Errorf("%v", c.Files)
	}
}

func TestSettleDoesNotWaitForQuiet(t *testing.T) {
	exe := filepath.Join(t.TempDir(), "api.exe")
	write(t, exe, "one")
	b := watched(t, time.Hour, BinariesOptions{}, exe)
	first, _ := b.Content("g")
	write(t, exe, "two")
	b.Settle(t.Context())
	if c, _ := b.Content("g"); c.Hash == first.Hash {
		t.Error("the change was not seen")
	}
}

// Who asks while a look is due or under way is not served by one that began before, nor put off by a write that is told later.
func TestSettleAmongEvents(t *testing.T) {
	exe := filepath.Join(t.TempDir(), "api.exe")
	write(t, exe, "one")
	b := newBinaries(BinariesOptions{}) // every look is made here
	next := func() *group {
		t.Helper()
		<-b.wake
		g, _ := b.nextDue()
		if g == nil {
			t.Fatal("nothing is due")
		}
		return g
	}
	settle := func() chan struct{} {
		done := make(chan struct{})
		go func() {
			defer close(done)
			b.Settle(t.Context())
		}()
		return done
	}
	b.SetGroups([]Group{{Name: "g", Paths: []string{exe}, Quiet: time.Hour}})
	b.look(t.Context(), next())
	first, _ := b.Content("g")

	write(t, exe, "two")
	settled := settle()
	g := next()
	b.notice(func(*group) bool { return true })
	<-b.wake
	b.look(t.Context(), g)
	<-settled
	second, _ := b.Content("g")
	if second.Hash == first.Hash {
		t.Error("an event put off the look that somebody waited for")
	}

	settled = settle()
	g = next()
	later := settle()
	<-b.wake
	b.look(t.Context(), g)
	if !b.hurried() {
		t.Error("who asked during a look is served by it")
	}
	signal(b.wake)
	b.look(t.Context(), next())
	<-settled
	<-later
}
