package reload

import (
	"encoding/binary"
	"path/filepath"
	"slices"
	"testing"
	"time"
	"unicode/utf16"
)

// notifications is a list as Windows writes it.
func notifications(names ...string) (b []byte) {
	for n, name := range names {
		text := utf16.Encode([]rune(name))
		size := (12 + 2*len(text) + 3) &^ 3
		next := size
		if n == len(names)-1 {
			next = 0
		}
		one := binary.LittleEndian.AppendUint32(nil, uint32(next))
		one = binary.LittleEndian.AppendUint32(one, 3)
		one = binary.LittleEndian.AppendUint32(one, uint32(2*len(text)))
		for _, c := range text {
			one = binary.LittleEndian.AppendUint16(one, c)
		}
		b = append(b, append(one, make([]byte, size-len(one))...)...)
	}
	return b
}

func TestChangedNamesAreReadToTheEndOfTheList(t *testing.T) {
	want := []string{`a.dll`, `lib\订单.dll`, "\U0001F525"}
	b := notifications(want...)
	if got := changedNames(b); !slices.Equal(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
	for n := range len(b) { // no list that is cut short is read beyond its end
		if got := changedNames(b[:n:n]); len(got) > len(want) {
			t.Errorf("%d bytes hold %q", n, got)
		}
	}
}

func TestTreesLetGoOfEverything(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "lib", "a")
	write(t, file, "one")
	seen := make(chan string, 100)
	tr := &trees{report: func(_, path string) { seen <- path }}
	for range 20 {
		tr.arrange(map[string]bool{dir: true})
		tr.arrange(nil)
	}
	tr.arrange(map[string]bool{dir: true, filepath.Join(dir, "nothing"): true})
	// Wine learns of a folder in a tree when somebody looks at it, which is what a look does anyway.
	if _, err := list([]string{dir}, func(string) bool { return false }); err != nil {
		t.Fatal(err)
	}
	write(t, file, "two")
	timeout := time.After(10 * time.Second)
	for got := ""; got != file; {
		select {
		case got = <-seen:
		case <-timeout:
			t.Fatal("nothing was told")
		}
	}
	tr.close() // waits for the end of every read
	if len(tr.open)+len(tr.all) != 0 {
		t.Errorf("left: %v, %v", tr.open, tr.all)
	}
	(&trees{}).close()
}
