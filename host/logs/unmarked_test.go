package logs

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"servicehost/spec"
)

// followTimes follows until n lines came; each is its text and the seconds since epoch it is said to be of.
// Those of the time of reading have "now".
func followTimes(t *testing.T, files []File, q Query, n int, sent func(Line)) string {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	q.Last, q.Follow = -1, true
	var got []string
	begun := time.Now().Truncate(time.Millisecond)
	err := Read(ctx, files, q, func(l Line) error {
		switch {
		case l.Time.Before(begun):
			got = append(got, secondsOf(l))
		case l.Time.After(time.Now()):
			got = append(got, l.Text+"@later")
		default:
			got = append(got, l.Text+"@now")
		}
		if sent != nil {
			sent(l)
		}
		if len(got) == n {
			cancel()
		}
		return nil
	})
	if err != nil || len(got) != n {
		t.Fatalf("%d of %d lines, %v", len(got), n, err)
	}
	return strings.Join(got, " ")
}

func secondsOf(l Line) string {
	if l.Time.IsZero() {
		return l.Text + "@never"
	}
	return fmt.Sprintf("%s@%v", l.Text, l.Time.Sub(epoch).Seconds())
}

func setModTime(t *testing.T, path string, sec float64) {
	t.Helper()
	if err := os.Chtimes(path, after0(sec), after0(sec)); err != nil {
		t.Fatal(err)
	}
}

// indexed is an index with marks at these seconds and offsets.
func indexed(marks ...mark) string {
	b := []byte(indexHead)
	before := int64(0)
	for _, m := range marks {
		b = m.put(b, before)
		before = m.at
	}
	return string(b)
}

func at0(sec float64, off int64) mark { return mark{at: after0(sec).UnixMilli(), off: off} }

// TestReadOfARunningHostTellsTimesWithoutAnIndex: what the host has not put into an index yet is not later than the
// file, and not later than what is known of the lines behind it.
func TestReadOfARunningHostTellsTimesWithoutAnIndex(t *testing.T) {
	for name, c := range map[string]struct {
		files func(path string) // before the host is asked for its indexes
		asked func(path string) // while it is
		want  string
	}{
		"the file came meanwhile": {
			asked: func(path string) { put(t, path, "a\nb\n"); setModTime(t, path, 5) },
			want:  "a@5 b@5",
		},
		"the writer was busy": {
			files: func(path string) { put(t, path, "a\nb\n"); setModTime(t, path, 5) },
			want:  "a@5 b@5",
		},
		"the clock was set back": {
			files: func(path string) {
				put(t, path, "a\n")
				setModTime(t, path, time.Now().Add(time.Hour).Sub(epoch).Seconds())
			},
			want: "a@now",
		},
		"a head and no mark": {
			files: func(path string) {
				put(t, path, "a\nb\n")
				setModTime(t, path, 5)
				put(t, indexPath(path), indexHead)
			},
			want: "a@5 b@5",
		},
		"of a file that was longer": {
			files: func(path string) {
				put(t, path, "a\nb\n")
				setModTime(t, path, 5)
				put(t, indexPath(path), indexed(at0(1, 0), at0(2, 1000)))
			},
			want: "a@5 b@5",
		},
		"marks from the middle on": {
			files: func(path string) {
				put(t, path, "a\nb\nc\nd\n")
				setModTime(t, path, 9)
				put(t, indexPath(path), indexed(at0(3, 4), at0(8, 6)))
			},
			want: "a@3 b@3 c@3 d@8",
		},
		"rotated, and the index is still to come": {
			files: func(path string) { put(t, path, "a\nb\n"); setModTime(t, path, 5) },
			asked: func(path string) {
				if err := os.Rename(path, rotatedPath(path, after0(6).UnixMilli(), formPlain)); err != nil {
					t.Fatal(err)
				}
				put(t, path, "c\n")
				setModTime(t, path, 7)
			},
			want: "a@5 b@5 c@now",
		},
		"behind a rotated one": {
			files: func(path string) {
				put(t, rotatedPath(path, after0(2).UnixMilli(), formPlain), "a\n")
				put(t, path, "b\n")
				setModTime(t, path, 5)
			},
			want: "a@2 b@2",
		},
		"rotated with marks from the middle on": {
			files: func(path string) {
				old := rotatedPath(path, after0(4).UnixMilli(), formPlain)
				put(t, old, "a\nb\n")
				put(t, indexPath(old), indexed(at0(3, 2)))
				put(t, path, "c\n")
				setModTime(t, path, 5)
			},
			want: "a@3 b@3 c@4",
		},
	} {
		t.Run(name, func(t *testing.T) {
			path := logPath(t)
			if c.files != nil {
				c.files(path)
			}
			flush := func() {
				if c.asked != nil {
					c.asked(path)
				}
			}
			n := len(strings.Fields(c.want))
			if got := followTimes(t, []File{{ID: "api", Path: path}}, Query{Flush: flush}, n, nil); got != c.want {
				t.Errorf("got %s, want %s", got, c.want)
			}
		})
	}
}

// TestReadOfAHostThatCannotFlushTellsTimes: a writer that hangs keeps its times to itself.
func TestReadOfAHostThatCannotFlushTellsTimes(t *testing.T) {
	path := logPath(t)
	s, _ := testSet(t, realFiles, defaultTiming)
	p := s.Pipeline("api", spec.Log{Path: path})
	defer p.Close()
	writeAt(p, epoch, "a\n")
	setModTime(t, path, 0.5)
	p.out.lock()
	var got []string
	err := Read(t.Context(), []File{{ID: "api", Path: path}}, Query{Last: -1, Flush: s.FlushIndexes}, func(l Line) error {
		got = append(got, secondsOf(l))
		return nil
	})
	p.out.unlock()
	if err != nil || len(got) != 1 || got[0] != "a@0.5" {
		t.Errorf("%q, %v", got, err)
	}
}

// TestFollowTellsTimesOfFilesItNeverHadOpen: a log that begins, is rotated and goes on between two looks.
func TestFollowTellsTimesOfFilesItNeverHadOpen(t *testing.T) {
	dir := t.TempDir()
	first, api := filepath.Join(dir, "first.log"), filepath.Join(dir, "api.log")
	put(t, first, "go\n")
	setModTime(t, first, 0)
	come := func(l Line) {
		if l.Text != "go" {
			return
		}
		old := rotatedPath(api, after0(4).UnixMilli(), formPlain)
		put(t, old, "a\nb\n")
		put(t, indexPath(old), indexed(at0(3, 2)))
		put(t, rotatedPath(api, after0(5).UnixMilli(), formPlain), "c\n")
		put(t, api, "")
	}
	got := followTimes(t, []File{{ID: "first", Path: first}, {ID: "api", Path: api}}, Query{}, 4, come)
	if want := "go@0 a@3 b@3 c@4"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

// TestRotatedLogLeavesNoIndexAtItsFormerName: a reader would take it for that of the new file.
func TestRotatedLogLeavesNoIndexAtItsFormerName(t *testing.T) {
	path := logPath(t)
	s, _ := testSet(t, realFiles, defaultTiming)
	p := s.Pipeline("api", spec.Log{Path: path})
	defer p.Close()
	writeAt(p, epoch, "a line\n")
	w := &p.out
	w.lock()
	defer w.unlock()
	to := rotatedPath(path, after0(5).UnixMilli(), formPlain)
	if err := os.Rename(path, to); err != nil {
		t.Fatal(err)
	}
	w.renameIndex(to, after0(5))
	w.shut() // as rotate does
	if !exists(indexPath(to)) || exists(indexPath(path)) {
		t.Errorf("index of the rotated file: %v, of the new one: %v", exists(indexPath(to)), exists(indexPath(path)))
	}
}
