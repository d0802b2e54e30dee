package state

import (
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
)

func open(t testing.TB, dir string) *Store {
	t.Helper()
	s, err := Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// content is everything in the store, as text.
func content(t testing.TB, s *Store) map[string]string {
	t.Helper()
	all := map[string]string{}
	for _, k := range s.Keys("") {
		var v string
		if ok, err := s.Get(k, &v); !ok || err != nil {
			t.Fatalf("%s: %v %v", k, ok, err)
		}
		all[k] = v
	}
	return all
}

func TestRecordsComeBack(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "deep", "state")
	type record struct {
		A int
		B []string
		C *float64
	}
	s := open(t, dir)
	must(t, s.Put("instance/api.1", record{A: 1, B: []string{"x\n\"y\" <&> 中文"}}))
	must(t, s.Put("instance/web", record{A: 2}))
	must(t, s.Put("host", "name"))
	must(t, s.Put("gone", 1))
	must(t, s.Delete("gone"))
	must(t, s.Delete("never there"))
	must(t, s.Put("null", nil))
	must(t, s.Close())
	must(t, s.Close())

	s = open(t, dir)
	var r record
	if ok, err := s.Get("instance/api.1", &r); !ok || err != nil || r.A != 1 || r.B[0] != "x\n\"y\" <&> 中文" {
		t.Errorf("%v %v %+v", ok, err, r)
	}
	if got := s.Keys("instance/"); !slices.Equal(got, []string{"instance/api.1", "instance/web"}) {
		t.Errorf("keys %q", got)
	}
	if got := s.Keys(""); !slices.Equal(got, []string{"host", "instance/api.1", "instance/web", "null"}) {
		t.Errorf("keys %q", got)
	}
	if ok, err := s.Get("gone", &r); ok || err != nil {
		t.Errorf("a deleted record: %v %v", ok, err)
	}
	if _, err := s.Get("host", &r); err == nil {
		t.Error("a record of another shape was decoded")
	}
	if s.Damaged() != 0 {
		t.Errorf("%d damaged records", s.Damaged())
	}
}

func TestPutRefusesWhatItCannotKeep(t *testing.T) {
	s := open(t, filepath.Join(t.TempDir(), "state"))
	for _, key := range []string{"", "a\"b", "a\\b", "a\nb", "\xff"} {
		if s.Put(key, 1) == nil {
			t.Errorf("key %q was taken", key)
		}
	}
	if s.Put("k", func() {}) == nil {
		t.Error("a function was taken")
	}
	if len(s.Keys("")) != 0 {
		t.Errorf("keys %q", s.Keys(""))
	}
	must(t, s.Close())
	if err := s.Put("k", 1); !errors.Is(err, os.ErrClosed) {
		t.Errorf("after Close: %v", err)
	}
}

func TestPutOfTheSameWritesNothing(t *testing.T) {
	s := open(t, filepath.Join(t.TempDir(), "state"))
	must(t, s.Put("k", "v"))
	size := s.log.size
	must(t, s.Put("k", "v"))
	if s.log.size != size {
		t.Errorf("grew from %d to %d", size, s.log.size)
	}
}

// TestTornLogIsSomePrefix truncates the log at every byte: what is read is the state after a prefix of
// the changes, and the store goes on from there.
func TestTornLogIsSomePrefix(t *testing.T) {
	src := filepath.Join(t.TempDir(), "state")
	s := open(t, src)
	type moment struct {
		size int64
		all  map[string]string
	}
	model := map[string]string{}
	moments := []moment{{0, maps.Clone(model)}}
	r := rand.New(rand.NewPCG(1, 2))
	for i := range 25 {
		k := fmt.Sprint("key", r.IntN(5))
		if r.IntN(4) == 0 {
			must(t, s.Delete(k))
			delete(model, k)
		} else {
			v := strings.Repeat("v", r.IntN(10)) + fmt.Sprint(i)
			must(t, s.Put(k, v))
			model[k] = v
		}
		moments = append(moments, moment{s.log.size, maps.Clone(model)})
	}
	must(t, s.Close())
	data, err := os.ReadFile(filepath.Join(src, logName))
	must(t, err)

	dir := filepath.Join(t.TempDir(), "state")
	must(t, os.Mkdir(dir, 0o700))
	for cut := range len(data) + 1 {
		must(t, os.WriteFile(filepath.Join(dir, logName), data[:cut], 0o600))
		var want map[string]string
		for _, m := range moments {
			if m.size <= int64(cut) {
				want = m.all
			}
		}
		s := open(t, dir)
		if got := content(t, s); !maps.Equal(got, want) || s.Damaged() != 0 {
			t.Fatalf("cut at %d: %v, want %v", cut, got, want)
		}
		must(t, s.Put("new", "record"))
		must(t, s.Close())
		s = open(t, dir)
		if got := content(t, s); got["new"] != "record" || len(got) != len(want)+1 {
			t.Fatalf("cut at %d: after one more %v", cut, got)
		}
		must(t, s.Close())
	}
}

func TestDamageInTheMiddleCostsOneRecord(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "state")
	s := open(t, dir)
	for i := range 3 {
		must(t, s.Put(fmt.Sprint("k", i), "value"))
	}
	must(t, s.Close())
	path := filepath.Join(dir, logName)
	data, err := os.ReadFile(path)
	must(t, err)
	data[len(data)/2] ^= 1
	must(t, os.WriteFile(path, data, 0o600))
	s = open(t, dir)
	if got := s.Keys(""); !slices.Equal(got, []string{"k0", "k2"}) || s.Damaged() != 1 {
		t.Errorf("%q left, %d damaged", got, s.Damaged())
	}
}

func TestLogIsCompactedAndBounded(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "state")
	s := open(t, dir)
	v := strings.Repeat("x", 1000)
	for i := range 5000 {
		must(t, s.Put(fmt.Sprint("key", i%50), fmt.Sprint(v, i)))
		if s.log.size > 2*s.log.live+2*minGarbage {
			t.Fatalf("after %d puts the log takes %d for %d", i, s.log.size, s.log.live)
		}
	}
	want := content(t, s)
	live := s.log.live
	must(t, s.Close())
	s = open(t, dir)
	if got := content(t, s); !maps.Equal(got, want) || len(got) != 50 {
		t.Errorf("%d of %d records are back", len(got), len(want))
	}
	if s.log.live != live {
		t.Errorf("counted %d live bytes, then %d", live, s.log.live)
	}
	names, err := os.ReadDir(dir)
	must(t, err)
	if len(names) != 2 {
		t.Errorf("left in the folder: %v", names)
	}
}

// TestKillDuringCompactionLeavesTheOldLog lays a half-written new log beside the old one.
func TestKillDuringCompactionLeavesTheOldLog(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "state")
	s := open(t, dir)
	must(t, s.Put("k", "v"))
	must(t, s.Close())
	must(t, os.WriteFile(filepath.Join(dir, newName), []byte(`{"c":"0000`), 0o600))
	s = open(t, dir)
	if got := content(t, s); got["k"] != "v" {
		t.Errorf("%v", got)
	}
	if _, err := os.Stat(filepath.Join(dir, newName)); !os.IsNotExist(err) {
		t.Errorf("the half-written log is still there: %v", err)
	}
}

// TestFullDiskKeepsMemoryAndRecovers closes the file under the store: puts fail but count, and once
// the file works everything is written, also when more was put than the backlog holds.
func TestFullDiskKeepsMemoryAndRecovers(t *testing.T) {
	for name, n := range map[string]int{"backlog": 10, "rewrite": 3 * maxBacklog / 10000} {
		t.Run(name, func(t *testing.T) {
			dir := filepath.Join(t.TempDir(), "state")
			s := open(t, dir)
			must(t, s.Put("before", "v"))
			s.log.f.Close()
			// The rewrite must not work around the trouble either.
			blocker := filepath.Join(dir, newName)
			must(t, os.MkdirAll(filepath.Join(blocker, "full"), 0o700))
			for i := range n {
				if s.Put(fmt.Sprint("key", i), strings.Repeat("x", 10000)) == nil {
					t.Fatal("no error from a closed file")
				}
			}
			if s.Delete("before") == nil || s.Sync() == nil {
				t.Fatal("no error from a closed file")
			}
			want := content(t, s)
			if len(want) != n {
				t.Fatalf("%d records in memory, want %d", len(want), n)
			}
			must(t, os.RemoveAll(blocker))
			f, err := os.OpenFile(filepath.Join(dir, logName), os.O_RDWR, 0)
			must(t, err)
			s.log.f = f
			must(t, s.Sync())
			must(t, s.Close())
			if got := content(t, open(t, dir)); !maps.Equal(got, want) {
				t.Errorf("%d records are back, want %d", len(got), n)
			}
		})
	}
}

func TestConcurrentPutsAllCount(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "state")
	s := open(t, dir)
	var wg sync.WaitGroup
	for g := range 8 {
		wg.Go(func() {
			for i := range 200 {
				if err := s.Put(fmt.Sprintf("g%d/%d", g, i%20), fmt.Sprint(i)); err != nil {
					t.Error(err)
				}
				s.Keys("g")
			}
		})
	}
	wg.Wait()
	want := content(t, s)
	must(t, s.Close())
	if got := content(t, open(t, dir)); len(got) != 160 || !maps.Equal(got, want) {
		t.Errorf("%d records are back, want 160", len(got))
	}
}

func FuzzOpen(f *testing.F) {
	f.Add(appendRecord(appendRecord(nil, "k", []byte(`{"a":1}`)), "k", nil), []byte(`{"k":"a","v":1}`))
	f.Add([]byte("{"), []byte(`{"k":"","v":}`))
	f.Fuzz(func(t *testing.T, data, payload []byte) {
		log := recordLog{dir: t.TempDir()}
		must(t, os.WriteFile(filepath.Join(log.dir, logName), append(slices.Clone(data), payload...), 0o600))
		parseRecord(payload)
		values := map[string][]byte{}
		_, err := log.open(values)
		must(t, err)
		defer log.close()
		var want int64
		for k, v := range values {
			want += lineSize(k, v)
		}
		if log.live != want || log.live > log.size {
			t.Fatalf("%d live of %d, counted %d", log.live, log.size, want)
		}
	})
}

func BenchmarkPut(b *testing.B) {
	s := open(b, filepath.Join(b.TempDir(), "state"))
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		must(b, s.Put(fmt.Sprint("instance/", i%1000), i))
	}
}

func BenchmarkOpen1000(b *testing.B) {
	dir := filepath.Join(b.TempDir(), "state")
	s := open(b, dir)
	for i := range 1000 {
		must(b, s.Put(fmt.Sprint("instance/", i), strings.Repeat("x", 2000)))
	}
	must(b, s.Close())
	for b.Loop() {
		s, err := Open(dir)
		must(b, err)
		must(b, s.Close())
	}
}
