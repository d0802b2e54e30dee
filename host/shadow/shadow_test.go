package shadow

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
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
	must(t, os.WriteFile(path, []byte(text), 0o700))
}

func sum(text string) string {
	h := sha256.Sum256([]byte(text))
	return hex.EncodeToString(h[:])
}

func read(t testing.TB, path string) string {
	t.Helper()
	b, err := os.ReadFile(path)
	must(t, err)
	return string(b)
}

// rig is a program's folder and a store that does not wait between rounds.
func rig(t *testing.T) (*Store, Source) {
	dir := t.TempDir()
	exe := filepath.Join(dir, "app", "api.exe")
	write(t, exe, "one")
	write(t, filepath.Join(dir, "app", "lib", "deep", "a.dll"), "dll")
	s := Open(filepath.Join(dir, "state", "shadow"))
	s.pause = time.Millisecond
	return s, Source{
		Owner: "api", ID: "1", Program: exe, Content: map[string]string{exe: sum("one")}, Exclude: func(string) bool { return false },
	}
}

func left(t *testing.T, s *Store) []string {
	t.Helper()
	found, err := filepath.Glob(filepath.Join(s.Dir(), "*", "*"))
	must(t, err)
	for n := range found {
		found[n] = filepath.Base(found[n])
	}
	return found
}

func TestMakeCopiesTheFolderAndFindsItAgain(t *testing.T) {
	s, src := rig(t)
	old := time.Now().Add(-48 * time.Hour).Truncate(time.Second)
	must(t, os.Chtimes(src.Program, old, old))
	program, err := s.Make(t.Context(), src)
	must(t, err)
	if read(t, program) != "one" || read(t, filepath.Join(filepath.Dir(program), "lib", "deep", "a.dll")) != "dll" {
		t.Error("the copy is another one")
	}
	st, err := os.Stat(program)
	must(t, err)
	if !st.ModTime().Equal(old) || runnable("x.exe", st.Mode()) != runnable("x.exe", 0o700) {
		t.Errorf("time %v, mode %v", st.ModTime(), st.Mode())
	}
	must(t, os.WriteFile(src.Program, []byte("two"), 0o700)) // in place: no link between the two
	if again, err := s.Make(t.Context(), src); err != nil || again != program || read(t, again) != "one" {
		t.Errorf("made again: %s, %v", again, err)
	}
}

func TestMakeRefusesOtherContent(t *testing.T) {
	s, src := rig(t)
	write(t, src.Program, "torn")
	if _, err := s.Make(t.Context(), src); !errors.Is(err, ErrChanged) {
		t.Errorf("copied: %v", err)
	}
	if l := left(t, s); len(l) > 0 {
		t.Errorf("left behind: %v", l)
	}
}

func TestMakeIsNotMisledByAPartialCopy(t *testing.T) {
	s, src := rig(t)
	write(t, filepath.Join(s.Dir(), "api", partial+"1", "api.exe"), "half")
	write(t, filepath.Join(s.Dir(), "api", partial+"1", "old.dll"), "of a host that was killed")
	program, err := s.Make(t.Context(), src)
	must(t, err)
	if l := left(t, s); !slices.Equal(l, []string{"1"}) || read(t, program) != "one" {
		t.Errorf("there is %v", l)
	}
	if _, err := os.Stat(filepath.Join(filepath.Dir(program), "old.dll")); err == nil {
		t.Error("a file of the partial copy is in the new one")
	}
}

func TestMakeStopsAtTheBounds(t *testing.T) {
	s, src := rig(t)
	s.maxFiles = 3
	if _, err := s.Make(t.Context(), src); err == nil || !strings.Contains(err.Error(), "more than 3 files") {
		t.Errorf("too many files: %v", err)
	}
	s, src = rig(t)
	s.maxBytes = 1 << 20
	must(t, os.Truncate(src.Program, 2<<20))
	if _, err := s.Make(t.Context(), src); err == nil || !strings.Contains(err.Error(), "more than 1 MiB") {
		t.Errorf("too much: %v", err)
	}
	if l := left(t, s); len(l) > 0 {
		t.Errorf("left behind: %v", l)
	}
}

func TestMakeEndsWithItsContext(t *testing.T) {
	s, src := rig(t)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := s.Make(ctx, src); !errors.Is(err, context.Canceled) {
		t.Errorf("made: %v", err)
	}
	if l := left(t, s); len(l) > 0 {
		t.Errorf("left behind: %v", l)
	}
}

// TestMakeTakesInWhatIsWrittenMeanwhile: a deployment may still be under way; a log beside the program never ends.
func TestMakeTakesInWhatIsWrittenMeanwhile(t *testing.T) {
	s, src := rig(t)
	dir := filepath.Dir(src.Program)
	looks := 0
	src.Exclude = func(path string) bool {
		if filepath.Base(path) == "api.exe" { // once a round
			looks++
			if looks == 2 || looks == 4 {
				write(t, filepath.Join(dir, "lib", "deep", "a.dll"), strings.Repeat("new", looks))
				must(t, os.RemoveAll(filepath.Join(dir, "gone")))
			}
			must(t, os.WriteFile(filepath.Join(dir, "api.log"), []byte(strings.Repeat("line\n", looks)), 0o600))
		}
		return false
	}
	write(t, filepath.Join(dir, "gone"), "x")
	program, err := s.Make(t.Context(), src)
	must(t, err)
	in := filepath.Dir(program)
	if got := read(t, filepath.Join(in, "lib", "deep", "a.dll")); got != strings.Repeat("new", 4) {
		t.Errorf("the library is %q", got)
	}
	if _, err := os.Stat(filepath.Join(in, "gone")); err == nil {
		t.Error("a file that was deleted meanwhile is in the copy")
	}
	if !strings.HasPrefix(read(t, filepath.Join(in, "api.log")), "line") {
		t.Error("the log is missing")
	}
}

func TestMakeGivesUpOnAProgramThatNeverRests(t *testing.T) {
	s, src := rig(t)
	n := 0
	src.Exclude = func(path string) bool {
		if filepath.Base(path) == "a.dll" {
			n++
			write(t, path, strings.Repeat("x", n))
		}
		return false
	}
	if _, err := s.Make(t.Context(), src); !errors.Is(err, ErrChanged) {
		t.Errorf("made: %v", err)
	}
}

func TestPruneKeepsWhatIsNeeded(t *testing.T) {
	s, src := rig(t)
	var programs []string
	for _, id := range []string{"1", "2", "3"} {
		src.ID = id
		p, err := s.Make(t.Context(), src)
		must(t, err)
		programs = append(programs, p)
	}
	src.Owner, src.ID = "old", "1"
	_, err := s.Make(t.Context(), src)
	must(t, err)
	write(t, filepath.Join(s.Dir(), "api", partial+"9", "x"), "torn")
	n, err := s.Prune([]string{programs[0], programs[2]})
	if err != nil || n != 0 {
		t.Errorf("%d left, %v", n, err)
	}
	if l := left(t, s); !slices.Equal(l, []string{"1", "3"}) {
		t.Errorf("kept %v", l)
	}
	if _, err := os.Stat(filepath.Join(s.Dir(), "old")); err == nil {
		t.Error("the folder of a service without copies is still there")
	}
	if n, err := Open(filepath.Join(s.Dir(), "none")).Prune(nil); n != 0 || err != nil {
		t.Errorf("a store without a folder: %d, %v", n, err)
	}
}

// TestTheCopiesAreNotCopied: the state folder lies beside the spec, and that often beside the program.
func TestTheCopiesAreNotCopied(t *testing.T) {
	_, src := rig(t)
	inside := Open(filepath.Join(filepath.Dir(src.Program), ".host", "shadow"))
	_, err := inside.Make(t.Context(), src)
	must(t, err)
	src.ID = "2"
	program, err := inside.Make(t.Context(), src)
	must(t, err)
	if found, _ := filepath.Glob(filepath.Join(filepath.Dir(program), ".host", "shadow", "*")); len(found) > 0 {
		t.Errorf("copied: %v", found)
	}
}
