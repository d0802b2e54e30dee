//go:build unix

package reload

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"syscall"
	"testing"
	"time"

	"servicehost/spec"
)

// pollOfNewFolders: events tell of everything.
const pollOfNewFolders = time.Hour

func TestWatchSeesLinksSwapped(t *testing.T) {
	dir := t.TempDir()
	write(t, filepath.Join(dir, "v1", "services.yaml"), "one")
	write(t, filepath.Join(dir, "v2", "services.yaml"), "two")
	write(t, filepath.Join(dir, "v3", "services.yaml"), "three")
	path := filepath.Join(dir, "conf", "services.yaml")
	must(t, os.Mkdir(filepath.Join(dir, "conf"), 0o700))
	// As Kubernetes lays a ConfigMap: file -> ..data/file, ..data -> a folder, which is swapped.
	must(t, os.Symlink("../v1", filepath.Join(dir, "conf", "..data")))
	must(t, os.Symlink("..data/services.yaml", path))
	w := watching(t, load(path))
	swap := func(to string) {
		tmp := filepath.Join(dir, "conf", "..tmp")
		must(t, os.Symlink(to, tmp))
		must(t, os.Rename(tmp, filepath.Join(dir, "conf", "..data")))
	}
	swap("../v2")
	triggers(t, w)
	w.SetInputs(load(path))
	write(t, filepath.Join(dir, "v2", "services.yaml"), "two, edited")
	triggers(t, w)
	w.SetInputs(load(path))
	swap(filepath.Join(dir, "v3"))
	triggers(t, w)
	w.SetInputs(load(path))
	write(t, filepath.Join(dir, "v3", "services.yaml"), "three, edited")
	triggers(t, w)
}

func TestWatchSurvivesOddFiles(t *testing.T) {
	dir := t.TempDir()
	ring, pipe, folder, good := filepath.Join(dir, "ring"), filepath.Join(dir, "pipe"), filepath.Join(dir, "folder"), filepath.Join(dir, "good")
	must(t, os.Symlink("ring", ring))
	must(t, syscall.Mkfifo(pipe, 0o600))
	must(t, os.Mkdir(folder, 0o700))
	write(t, good, "one")
	inputs := load(ring, good)
	for _, p := range []string{pipe, folder, filepath.Join(good, "below")} {
		inputs = append(inputs, load(good)[0])
		inputs[len(inputs)-1].Path, inputs[len(inputs)-1].Hash = p, ""
	}
	w := watching(t, inputs)
	staysQuiet(t, w, func() { signal(w.poke) })
	write(t, good, "two")
	triggers(t, w)
}

func TestReadCommitFollowsNoLinkOut(t *testing.T) {
	for _, name := range []string{"HEAD", "refs/heads/main", "refs", "."} {
		dir, git := repo(t)
		path := filepath.Join(git, filepath.FromSlash(name))
		elsewhere := filepath.Join(t.TempDir(), "elsewhere")
		must(t, os.Rename(path, elsewhere))
		must(t, os.Symlink(elsewhere, path))
		if got, ok := ReadCommit(dir); ok {
			t.Errorf("%s: %+v", name, got)
		}
	}
}

// TestWatchNeverLosesAChange does random things to files, folders and links, in bursts, and after each
// burst what was seen has to become what is there, by events alone.
func TestWatchNeverLosesAChange(t *testing.T) {
	dir := t.TempDir()
	at := func(names ...string) string { return filepath.Join(append([]string{dir}, names...)...) }
	files := []string{at("conf", "a.yaml"), at("conf", "deep", "b.env"), at("current", "c.yaml")}
	glob := spec.Input{Path: at("conf", "d", "*.yaml"), Glob: true}
	r := rand.New(rand.NewPCG(7, 8))
	n := 0
	text := func() string { n++; return fmt.Sprint("content ", n) }
	// What stands in the way of a random step is no failure.
	put := func(path string) {
		_ = os.MkdirAll(filepath.Dir(path), 0o700)
		_ = os.WriteFile(path, []byte(text()), 0o600)
	}
	pick := func() string { return append(files, at("conf", "d", fmt.Sprint(r.IntN(3), ".yaml")))[r.IntN(4)] }
	steps := []func(){
		func() { put(pick()) },
		func() { p := pick(); put(p + ".tmp"); _ = os.Rename(p+".tmp", p) },
		func() { _ = os.Remove(pick()) },
		func() { _ = os.Rename(at("conf"), at("old", fmt.Sprint(n))) },
		func() { put(at("new", "a.yaml")); _ = os.Rename(at("new"), at("conf")) },
		func() { _ = os.RemoveAll(at("conf", "deep")) },
		func() {
			v := fmt.Sprint("v", r.IntN(3))
			put(at(v, "c.yaml"))
			_ = os.Symlink(v, at("link"))
			_ = os.Rename(at("link"), at("current"))
		},
		func() { put(at("v"+fmt.Sprint(r.IntN(3)), "c.yaml")) },
	}
	must(t, os.Mkdir(at("old"), 0o700))
	inputs := files
	w := watching(t, append(load(inputs...), glob), func(o *Options) { o.Quiet = func() time.Duration { return 5 * time.Millisecond } })
	for burst := range 60 {
		for range 1 + r.IntN(6) {
			steps[r.IntN(len(steps))]()
		}
		found := slices.Concat(files, globbed(t, glob.Path))
		want := content{}
		for _, in := range load(slices.Concat(inputs, found)...) {
			want[in.Path] = in.Hash
		}
		eventually(t, w, fmt.Sprintf("burst %d is seen", burst), func() bool { return maps.Equal(w.seen, want) })
		if r.IntN(2) == 0 {
			inputs = found
			w.SetInputs(append(load(inputs...), glob))
		}
	}
}

func globbed(t *testing.T, pattern string) []string {
	found, err := filepath.Glob(pattern)
	must(t, err)
	return found
}

// Watches are few on some systems, and everybody needs them: beyond a number polls see to it.
func TestBinariesTakeSoManyWatches(t *testing.T) {
	dir := t.TempDir()
	for n := range maxSubfolders + 5 {
		must(t, os.Mkdir(filepath.Join(dir, fmt.Sprintf("%04d", n)), 0o700))
	}
	last := filepath.Join(dir, fmt.Sprintf("%04d", maxSubfolders+4), "a.so")
	write(t, last, "one")
	b := watched(t, 10*time.Millisecond, BinariesOptions{Poll: 100 * time.Millisecond}, dir)
	b.mu.Lock()
	n, watchedToo := len(b.groups["g"].want), b.groups["g"].want[filepath.Dir(last)] != nil
	b.mu.Unlock()
	if n > maxSubfolders+2 || watchedToo {
		t.Errorf("%d folders are watched, the last one %v", n, watchedToo)
	}
	write(t, last, "two, longer")
	found(t, b)
}
