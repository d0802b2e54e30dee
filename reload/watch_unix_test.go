//go:build unix

package reload

import (
	"os"
	"path/filepath"
	"syscall"
	"testing"

	"servicehost/internal/testdir"
)

func TestWatchSeesLinksSwapped(t *testing.T) {
	dir := testdir.New(t)
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
	dir := testdir.New(t)
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
		elsewhere := filepath.Join(testdir.New(t), "elsewhere")
		must(t, os.Rename(path, elsewhere))
		must(t, os.Symlink(elsewhere, path))
		if got, ok := ReadCommit(dir); ok {
			t.Errorf("%s: %+v", name, got)
		}
	}
}
