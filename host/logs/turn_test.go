package logs

import (
	"os"
	"path/filepath"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"servicehost/spec"
)

// at sleeps until the given time of the bubble.
func at(t time.Time) { time.Sleep(time.Until(t)); synctest.Wait() }

func TestSilentLogIsRotatedAtMidnight(t *testing.T) {
	dir := t.TempDir()
	synctest.Test(t, func(t *testing.T) {
		berlin := zone(t, "Europe/Berlin")
		tm := defaultTiming
		tm.sweep = 1000 * time.Hour
		s := newSet(Options{}, realFiles, tm)
		s.local = berlin
		defer s.Close()
		type log struct {
			path string
			cfg  spec.Log
			src  *stream
			want int // rotations in the night
		}
		logs := []*log{
			{cfg: spec.Log{Rotate: spec.RotateDaily}, want: 1},
			{cfg: spec.Log{Rotate: spec.RotateDaily, RotateZone: spec.ZoneUTC}},
			{cfg: spec.Log{Rotate: spec.RotateHourly}, want: 1}, // empty ones aren't rotated
			{},
		}
		for i, l := range logs {
			l.path = filepath.Join(dir, string(rune('a'+i))+".log")
			l.cfg.Path, l.cfg.MaxFiles = l.path, 10
			p := s.Pipeline("api", l.cfg)
			defer p.Close()
			l.src = newStream()
			p.Attach(l.src, nil)
		}
		at(time.Date(2000, 3, 25, 23, 30, 0, 0, berlin)) // clocks are set at 2:00
		for _, l := range logs {
			l.src.send("one\n")
		}
		at(time.Date(2000, 3, 25, 23, 59, 59, 0, berlin))
		for _, l := range logs {
			if n := len(history(t, l.path)); n != 0 {
				t.Errorf("%s was rotated too early", l.path)
			}
		}
		at(time.Date(2000, 3, 26, 0, 0, 1, 0, berlin))
		for _, l := range logs {
			if n := len(history(t, l.path)); n != l.want {
				t.Errorf("%s: %d rotated files, want %d", l.path, n, l.want)
			}
		}
		at(time.Date(2000, 3, 26, 2, 0, 1, 0, time.UTC))
		if n := len(history(t, logs[1].path)); n != 1 {
			t.Errorf("midnight of UTC passed: %d rotated files", n)
		}
		if got := history(t, logs[0].path); len(got) != 1 || filepath.Base(got[0]) != "a-20000325T230000.000Z.log" {
			t.Errorf("%q", got)
		}
	})
}

func TestLinesStayWholeAtTheTurnOfTheHour(t *testing.T) {
	path := logPath(t)
	synctest.Test(t, func(t *testing.T) {
		s := newSet(Options{}, realFiles, defaultTiming)
		defer s.Close()
		p := s.Pipeline("api", spec.Log{Path: path, MaxFiles: 10, Rotate: spec.RotateHourly, RotateZone: spec.ZoneUTC})
		defer p.Close()
		src := newStream()
		p.Attach(src, nil)
		at(time.Date(2000, 1, 1, 0, 59, 59, 900e6, time.UTC))
		src.send("one\nha")
		at(time.Date(2000, 1, 1, 1, 0, 0, 100e6, time.UTC))
		src.send("lf\ntwo\n")
		at(time.Date(2000, 1, 1, 1, 59, 59, 0, time.UTC))
		src.send("three\n")
		at(time.Date(2000, 1, 1, 2, 0, 0, 1, time.UTC))
		src.send("four\n")
		src.end()
		p.Drain(time.Minute)
		var got []string
		for _, name := range append(history(t, path), path) {
			got = append(got, content(t, name))
		}
		if want := []string{"one\nhalf\n", "two\nthree\n", "four\n"}; !slices.Equal(got, want) {
			t.Errorf("files hold %q, want %q", got, want)
		}
	})
}

func TestFileOfAnEarlierDayIsRotatedAtStart(t *testing.T) {
	for name, c := range map[string]struct {
		text   string
		age    time.Duration
		writes bool
		want   int
	}{
		"written to":       {"old\n", 50 * time.Hour, true, 1},
		"silent":           {"old\n", 50 * time.Hour, false, 1},
		"empty":            {"", 50 * time.Hour, false, 0},
		"of now":           {"new\n", 0, false, 0},
		"of now, written":  {"new\n", 0, true, 0},
		"of tomorrow even": {"new\n", -50 * time.Hour, true, 0},
	} {
		t.Run(name, func(t *testing.T) {
			path := logPath(t)
			put(t, path, c.text)
			then := time.Now().Add(-c.age)
			if err := os.Chtimes(path, then, then); err != nil {
				t.Fatal(err)
			}
			tm := testTiming
			tm.sweep = 10 * time.Millisecond
			s, _ := testSet(t, realFiles, tm)
			s.local = time.FixedZone("", int((12*time.Hour-time.Since(time.Now().UTC().Truncate(24*time.Hour)))/time.Second)) // noon
			p, src := openPipeline(t, s, spec.Log{Path: path, MaxFiles: 10, Rotate: spec.RotateDaily})
			if c.writes {
				src.send("more\n")
			}
			swept := 0
			until(t, "swept", func() bool {
				s.mu.Lock()
				defer s.mu.Unlock()
				if s.working == nil {
					swept++
				}
				return swept > 20
			})
			until(t, "rotated as it should be", func() bool { return len(history(t, path)) == c.want })
			src.end()
			p.Drain(time.Minute)
			want := c.text
			if c.writes {
				want += "more\n"
			}
			if got := everything(t, path); got != want || len(history(t, path)) != c.want {
				t.Errorf("%d rotated, files hold %q, want %q", len(history(t, path)), got, want)
			}
			p.out.mu.Lock()
			defer p.out.mu.Unlock()
			if !c.writes && p.out.f != nil {
				t.Error("the file of a silent service is kept open")
			}
		})
	}
}

func TestTurnSurvivesAClockSetBack(t *testing.T) {
	path := logPath(t)
	s, _ := testSet(t, realFiles, testTiming)
	p, src := openPipeline(t, s, spec.Log{Path: path, MaxFiles: 10, Rotate: spec.RotateDaily})
	src.send("one\n")
	until(t, "written", func() bool { return contentOrNone(path) == "one\n" })
	w := &p.out
	w.lock()
	defer w.unlock()
	now := time.Now()
	w.turnAt = now.Add(1000 * time.Hour)
	w.turnQuietly(now)
	if d := w.turnAt.Sub(now); d <= 0 || d > 25*time.Hour || len(history(t, path)) != 0 {
		t.Errorf("the next turn is in %s, %d rotated", d, len(history(t, path)))
	}
}

func TestPeriodIsAppliedLive(t *testing.T) {
	path := logPath(t)
	synctest.Test(t, func(t *testing.T) {
		tm := defaultTiming
		tm.sweep = 1000 * time.Hour
		s := newSet(Options{}, realFiles, tm)
		defer s.Close()
		p := s.Pipeline("api", spec.Log{Path: path, MaxFiles: 10})
		defer p.Close()
		src := newStream()
		p.Attach(src, nil)
		src.send("one\n")
		p.Apply("api", spec.Log{Path: path, MaxFiles: 10, Rotate: spec.RotateHourly, RotateZone: spec.ZoneUTC})
		time.Sleep(time.Hour + time.Second)
		synctest.Wait()
		if n := len(history(t, path)); n != 1 {
			t.Fatalf("%d rotated", n)
		}
		src.send("two\n")
		p.Apply("api", spec.Log{Path: path, MaxFiles: 10})
		time.Sleep(48 * time.Hour)
		synctest.Wait()
		if n := len(history(t, path)); n != 1 || contentOrNone(path) != "two\n" {
			t.Fatalf("%d rotated after that was turned off", n)
		}
	})
}
