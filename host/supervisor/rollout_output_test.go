package supervisor

import (
	"slices"
	"strings"
	"testing"

	"servicehost/host/process"
)

// chunks is an output that hands out what it has.
type chunks []string

func (c chunks) Copy(sink func([]byte)) error {
	for _, s := range c {
		sink([]byte(s))
	}
	return nil
}

func (chunks) Close() error { return nil }

func TestProbesOfANextRunSeeItsLinesWhole(t *testing.T) {
	var o process.Output = chunks{"list", "ening\r\nsec", "ond\n\n", strings.Repeat("x", maxTeed), "more\n", "unfinished"}
	w := &fakeWatch{wantsLines: true}
	on := &tee{}
	on.set(w)
	n := 0
	if err := (teed{o, on}).Copy(func(p []byte) { n += len(p) }); err != nil {
		t.Fatal(err)
	}
	if want := []string{"listening", "second", "", strings.Repeat("x", maxTeed)}; !slices.Equal(w.lines, want) {
		t.Errorf("saw %d lines", len(w.lines))
	}
	if want := len("listening\r\nsecond\n\nmore\nunfinished") + maxTeed; n != want {
		t.Errorf("%d bytes went on, want %d", n, want)
	}
	off := &tee{}
	off.set(nil)
	before := len(w.lines)
	if err := (teed{o, off}).Copy(func([]byte) {}); err != nil || len(w.lines) != before {
		t.Errorf("%v, %d lines", err, len(w.lines))
	}
}
