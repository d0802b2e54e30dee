package reload

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"os"
	"path/filepath"
	"runtime"
	"testing"
	"testing/synctest"
	"time"

	"servicehost/spec"
)

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func write(t testing.TB, path, text string) {
	t.Helper()
	must(t, os.MkdirAll(filepath.Dir(path), 0o700))
	must(t, os.WriteFile(path, []byte(text), 0o600))
}

// load is what a load of the files would report.
func load(paths ...string) []spec.Input {
	var in []spec.Input
	for _, p := range paths {
		data, err := os.ReadFile(p)
		sum := sha256.Sum256(data)
		if err != nil {
			in = append(in, spec.Input{Path: p})
		} else {
			in = append(in, spec.Input{Path: p, Hash: hex.EncodeToString(sum[:])})
		}
	}
	return in
}

// watching is a watcher that relies on events alone unless the test says otherwise, set up.
func watching(t *testing.T, inputs []spec.Input, change ...func(*Options)) *Watcher {
	t.Helper()
	o := Options{Quiet: func() time.Duration { return 20 * time.Millisecond }, Poll: time.Hour}
	for _, f := range change {
		f(&o)
	}
	ctx, cancel := context.WithCancel(context.Background())
	w := Watch(ctx, o)
	t.Cleanup(func() {
		cancel()
		<-w.Done()
	})
	w.SetInputs(inputs)
	if err := w.Trouble(); err != nil {
		t.Fatal(err)
	}
	if runtime.GOOS == "windows" { // nothing is renamed over a file that is being read, whatever it is shared for
		eventually(t, w, "the first look", func() bool { return w.read != nil })
	}
	return w
}

func eventually(t *testing.T, w *Watcher, what string, cond func() bool) {
	t.Helper()
	for deadline := time.Now().Add(10 * time.Second); ; time.Sleep(time.Millisecond) {
		w.mu.Lock()
		ok := cond()
		w.mu.Unlock()
		if ok {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("waited in vain until %s", what)
		}
	}
}

func triggers(t *testing.T, w *Watcher) {
	t.Helper()
	select {
	case <-w.C():
	case <-time.After(10 * time.Second):
		t.Fatal("no trigger")
	}
}

// staysQuiet waits until the watcher has looked after what do does, and wants no trigger.
func staysQuiet(t *testing.T, w *Watcher, do func()) {
	t.Helper()
	looks := 0
	eventually(t, w, "it is still", func() bool { looks = w.looks; return true })
	do()
	eventually(t, w, "it has looked", func() bool { return w.looks > looks })
	select {
	case <-w.C():
		t.Fatal("a trigger without a change")
	default:
	}
}

// settles waits until the content that path has now is seen. A save is more than one write, and on a
// busy machine quiet may pass between two of them.
func settles(t *testing.T, w *Watcher, path string) {
	t.Helper()
	want := load(path)[0].Hash
	eventually(t, w, "the last write is seen", func() bool { return w.seen[path] == want })
	select {
	case <-w.C():
	default:
	}
}

// slow is a quiet that no pause between two writes of a test reaches.
func slow(o *Options) { o.Quiet = func() time.Duration { return 500 * time.Millisecond } }

func TestWatchSeesEveryWayToSave(t *testing.T) {
	for name, save := range map[string]func(t *testing.T, path string){
		"in place": func(t *testing.T, path string) { write(t, path, "two") },
		"append": func(t *testing.T, path string) {
			f, err := os.OpenFile(path, os.O_APPEND|os.O_WRONLY, 0)
			must(t, err)
			_, err = f.WriteString("more")
			must(t, err)
			must(t, f.Close())
		},
		"rename over": func(t *testing.T, path string) {
			write(t, path+".tmp", "two")
			must(t, os.Rename(path+".tmp", path))
		},
		"away and new": func(t *testing.T, path string) {
			must(t, os.Rename(path, path+"~"))
			write(t, path, "two")
		},
		"delete": func(t *testing.T, path string) { must(t, os.Remove(path)) },
		"same size and time": func(t *testing.T, path string) {
			fi, err := os.Stat(path)
			must(t, err)
			write(t, path, "eno")
			must(t, os.Chtimes(path, fi.ModTime(), fi.ModTime()))
		},
	} {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "services.yaml")
			write(t, path, "one")
			w := watching(t, load(path))
			before := w.SeenHash()
			save(t, path)
			triggers(t, w)
			if w.SeenHash() == before {
				t.Error("SeenHash did not change")
			}
			settles(t, w, path)
			staysQuiet(t, w, func() { // seen now: no second trigger for the same
				w.SetInputs(load(path))
				signal(w.poke)
			})
			write(t, path, "three")
			triggers(t, w)
		})
	}
}

func TestWatchIgnoresTouchesAndOtherFiles(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "services.yaml")
	write(t, path, "one")
	w := watching(t, load(path))
	unseen := func(texts ...string) {
		w.mu.Lock() // no look falls between two writes, nor between emptying a file and filling it
		defer w.mu.Unlock()
		for _, text := range texts {
			write(t, path, text)
		}
	}
	staysQuiet(t, w, func() { unseen("one") })
	staysQuiet(t, w, func() { unseen("two", "one") })
	if w.want[dir].match("other.log") {
		t.Error("a log beside the spec counts")
	}
}

func TestWatchTruncateThenWriteIsOneTrigger(t *testing.T) {
	path := filepath.Join(t.TempDir(), "services.yaml")
	write(t, path, "one")
	w := watching(t, load(path), slow)
	must(t, os.Truncate(path, 0))
	write(t, path, "two")
	triggers(t, w)
	settles(t, w, path)
	staysQuiet(t, w, func() { signal(w.poke) })
}

func TestWatchSeesMissingFilesAndFoldersAppear(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "a", "b", "c.env")
	w := watching(t, load(path))
	write(t, path, "A=1")
	triggers(t, w)
}

func TestWatchSeesFoldersGoAndComeBack(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "conf")
	path := filepath.Join(dir, "services.yaml")
	write(t, path, "one")
	w := watching(t, load(path))
	must(t, os.RemoveAll(dir))
	triggers(t, w)
	w.SetInputs(load(path))
	for _, text := range []string{"two", "three"} {
		write(t, path, text)
		triggers(t, w)
		w.SetInputs(load(path))
	}
	// git checkout and deployments put another folder in the place of the old one.
	write(t, filepath.Join(dir+".new", "services.yaml"), "four")
	must(t, os.Rename(dir, dir+".old"))
	must(t, os.Rename(dir+".new", dir))
	triggers(t, w)
	w.SetInputs(load(path))
	write(t, path, "five")
	triggers(t, w)
	settles(t, w, path)
}

func TestWatchSeesFilesOfAPatternComeAndGo(t *testing.T) {
	dir := t.TempDir()
	spec1, conf := filepath.Join(dir, "services.yaml"), filepath.Join(dir, "conf.d")
	one, two := filepath.Join(conf, "one.yaml"), filepath.Join(conf, "two.yaml")
	write(t, spec1, "include")
	write(t, one, "one")
	glob := spec.Input{Path: filepath.Join(conf, "*.yaml"), Glob: true}
	with := func(paths ...string) []spec.Input { return append(load(paths...), glob) }
	w := watching(t, with(spec1, one))
	write(t, two, "two")
	triggers(t, w)
	w.SetInputs(with(spec1, one, two))
	must(t, os.Remove(one))
	triggers(t, w)
	staysQuiet(t, w, func() {
		w.SetInputs(with(spec1, two))
		signal(w.poke)
	})
	must(t, os.RemoveAll(conf))
	triggers(t, w)
	w.SetInputs(with(spec1))
	write(t, one, "back")
	triggers(t, w)
}

func TestWatchOfPatternsInFolders(t *testing.T) {
	dir := t.TempDir()
	// A folder may hold characters of a pattern.
	base := filepath.Join(dir, "site[1]")
	write(t, filepath.Join(base, "api", "service.yaml"), "one")
	w := watching(t, append(load(filepath.Join(base, "api", "service.yaml")),
		spec.Input{Path: filepath.Join(base, "*", "service.yaml"), Glob: true}))
	staysQuiet(t, w, func() { signal(w.poke) })
	write(t, filepath.Join(base, "web", "service.yaml"), "two")
	triggers(t, w)
}

func TestWatchReportsWhatWasWrittenSinceTheLoad(t *testing.T) {
	path := filepath.Join(t.TempDir(), "services.yaml")
	write(t, path, "one")
	inputs := load(path)
	write(t, path, "two")
	w := watching(t, inputs)
	triggers(t, w)
}

func TestWatchEndsWhenLoadsNeverSeeTheSame(t *testing.T) {
	path := filepath.Join(t.TempDir(), "services.yaml")
	write(t, path, "one")
	other := []spec.Input{{Path: path}} // as if it could not be read there
	w := watching(t, other)
	for range sameTries {
		triggers(t, w)
		w.SetInputs(other)
	}
	staysQuiet(t, w, func() { signal(w.poke) })
	write(t, path, "two")
	triggers(t, w)
}

func TestWatchPollsWhereNothingTells(t *testing.T) {
	path := filepath.Join(t.TempDir(), "services.yaml")
	write(t, path, "one")
	w := watching(t, load(path), func(o *Options) { o.Poll = 10 * time.Millisecond })
	w.mu.Lock()
	w.fs.Close() // as on a network drive
	w.mu.Unlock()
	write(t, path, "two and longer")
	triggers(t, w)
}

func TestWatchRechecksWhenAsked(t *testing.T) {
	path := filepath.Join(t.TempDir(), "services.yaml")
	write(t, path, "one")
	w := watching(t, load(path))
	eventually(t, w, "the first look", func() bool { return w.read != nil })
	w.mu.Lock()
	w.fs.Close() // as on a network drive after a sleep
	w.mu.Unlock()
	write(t, path, "two")
	w.Recheck()
	triggers(t, w)
}

func TestWatchWithoutInputsDoesNothing(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	w := Watch(ctx, Options{})
	signal(w.poke)
	w.SetInputs(nil)
	cancel()
	<-w.Done()
	select {
	case <-w.C():
		t.Error("a trigger without inputs")
	default:
	}
}

func TestDebounceActsOnceItIsQuiet(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		poke := make(chan struct{}, 1)
		quiet := 300 * time.Millisecond
		began := time.Now()
		var acts []time.Duration
		ended := make(chan struct{})
		go func() {
			defer close(ended)
			debounce(ctx, poke, func() time.Duration { return quiet }, func() { acts = append(acts, time.Since(began)) })
		}()
		for range 10 { // a long write
			poke <- struct{}{}
			time.Sleep(200 * time.Millisecond)
		}
		time.Sleep(time.Minute)
		poke <- struct{}{}
		time.Sleep(time.Hour)
		cancel()
		<-ended
		want := []time.Duration{1800*time.Millisecond + quiet, 62*time.Second + quiet}
		if len(acts) != 2 || acts[0] != want[0] || acts[1] != want[1] {
			t.Errorf("acted at %v, want %v", acts, want)
		}
	})
}

func BenchmarkIdlePoll1000(b *testing.B) {
	dir := b.TempDir()
	var paths []string
	for i := range 1000 {
		p := filepath.Join(dir, string(rune('a'+i%26)), time.Duration(i).String())
		write(b, p, "x")
		must(b, os.Chtimes(p, time.Unix(1e9, 0), time.Unix(1e9, 0)))
		paths = append(paths, p)
	}
	ctx, cancel := context.WithCancel(context.Background())
	w := Watch(ctx, Options{Poll: time.Hour})
	w.SetInputs(load(paths...))
	w.differs()
	for b.Loop() {
		w.touched()
	}
	cancel()
	<-w.Done()
}

// The host can't end before its watches have.
func BenchmarkEndOfWatch(b *testing.B) {
	path := filepath.Join(b.TempDir(), "services.yaml")
	write(b, path, "x")
	slowest := time.Duration(0)
	for b.Loop() {
		b.StopTimer()
		ctx, cancel := context.WithCancel(b.Context())
		w := Watch(ctx, Options{})
		w.SetInputs(load(path))
		b.StartTimer()
		begun := time.Now()
		cancel()
		<-w.Done()
		slowest = max(slowest, time.Since(begun))
	}
	b.ReportMetric(float64(slowest.Microseconds()), "worst-us")
}
