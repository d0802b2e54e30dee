package main

import (
	"strings"
	"testing"
)

func pouredLines(name string, from, to int) string {
	var b strings.Builder
	for i := from; i < to; i++ {
		b.Write(numberedLine(i, name))
	}
	return b.String()
}

func TestNumberedLineHasItsSize(t *testing.T) {
	if got := numberedLine(7, "c0001"); len(got) != lineSize || !strings.HasPrefix(string(got), "000000000007 c0001 xxx") || got[lineSize-1] != '\n' {
		t.Errorf("%q", got)
	}
}

func TestLineCheckCounts(t *testing.T) {
	ten := pouredLines("c0000", 0, 10)
	for name, c := range map[string]struct {
		files                       []string
		lost, torn, repeated, split int
	}{
		"all":                   {files: []string{ten}},
		"nothing":               {lost: 10},
		"a missing one":         {files: []string{strings.Replace(ten, pouredLines("c0000", 4, 5), "", 1)}, lost: 1},
		"twice":                 {files: []string{ten, pouredLines("c0000", 3, 5)}, repeated: 2},
		"split over two files":  {files: []string{ten[:450], ten[450:]}, split: 1},
		"split at the line end": {files: []string{ten[:400], ten[400:]}},
		"the end is missing":    {files: []string{ten[:len(ten)-50]}, lost: 1, torn: 1},
		"no last line end":      {files: []string{ten[:len(ten)-1]}},
		"the begin is missing":  {files: []string{ten[30:]}, lost: 1, torn: 1},
		"the middle is missing": {files: []string{ten[:430] + ten[480:]}, lost: 1, torn: 1},
		"two in one":            {files: []string{ten[:350] + ten[400:]}, lost: 2, torn: 1},
		"others between":        {files: []string{"# started\n" + ten[:600] + "\nx y\n" + ten[600:] + "# ended"}},
		"with a time before":    {files: []string{strings.ReplaceAll("\n"+ten[:len(ten)-1], "\n", "\n2026-01-01T00:00:00Z [c0000] ")}},
		"in JSON":               {files: []string{`{"text":"` + strings.TrimSpace(strings.ReplaceAll(ten, "\n", "\"}\n{\"text\":\""))}},
		"a number beyond":       {files: []string{ten, pouredLines("c0000", 10, 11)}, torn: 1},
	} {
		check := newLineCheck(10)
		for _, f := range c.files {
			if err := check.read(strings.NewReader(f)); err != nil {
				t.Fatal(err)
			}
		}
		check.finish()
		if check.lost(1) != c.lost || check.torn != c.torn || check.repeated != c.repeated || check.split != c.split {
			t.Errorf("%s: lost %d, torn %d, repeated %d, split %d; want %d, %d, %d, %d", name,
				check.lost(1), check.torn, check.repeated, check.split, c.lost, c.torn, c.repeated, c.split)
		}
	}
}

func TestLineCheckTellsWritersApart(t *testing.T) {
	check := newLineCheck(3)
	a, b := pouredLines("c0000", 0, 3), pouredLines("c0001", 0, 3)
	if err := check.read(strings.NewReader(a[:200] + b[:400] + a[200:])); err != nil {
		t.Fatal(err)
	}
	check.finish()
	if check.lost(2) != 1 || check.repeated != 0 || check.bytes != 1000 {
		t.Errorf("lost %d, repeated %d, %d bytes", check.lost(2), check.repeated, check.bytes)
	}
}

func TestLineCheckStandsALineWithoutEnd(t *testing.T) {
	check := newLineCheck(1)
	if err := check.read(strings.NewReader(strings.Repeat("y", 3<<20) + "\n" + pouredLines("c0000", 0, 1))); err != nil {
		t.Fatal(err)
	}
	check.finish()
	if check.lost(1) != 0 {
		t.Error("the line behind it is lost")
	}
}
