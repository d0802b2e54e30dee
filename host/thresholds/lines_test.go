package thresholds

import (
	"testing"
	"testing/synctest"
	"time"

	"servicehost/host/logs"
	"servicehost/spec"
)

func lines(pattern string, count int, within time.Duration) spec.Threshold {
	return spec.Threshold{Log: pattern, Count: count, Within: within, Action: spec.ThresholdAction{Do: spec.ThresholdNotify}}
}

func write(s logs.Sink, text string) { s.Take(logs.Record{Time: time.Now(), Text: []byte(text)}) }

func TestLinesAreCountedWithinATime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t)
		s := r.apply(lines("^ERROR .*login", 3, time.Minute))
		for range 10 { // two a minute are not too many
			write(s, "ERROR of login")
			write(s, "INFO login")
			time.Sleep(31 * time.Second)
		}
		r.expect("")
		write(s, "ERROR of login")
		write(s, "ERROR of login")
		r.expect("+log")
		e := r.Crossed("api")
		if want := `3 lines that match "^ERROR .*login" within 1m`; len(e) != 1 || e[0].Reason != want || e[0].Value != 3 || e[0].Limit != 3 {
			t.Errorf("%+v", e)
		}
		for range 5 { // it goes on, and is told once
			write(s, "ERROR of login")
			time.Sleep(time.Second)
		}
		r.expect("")
		time.Sleep(53 * time.Second)
		r.expect("")
		time.Sleep(5 * time.Second)
		r.expect("-log")
		for range 3 {
			write(s, "ERROR of login")
		}
		r.expect("+log")
	})
}

func TestOneLineIsEnoughWhereOneIsTooMany(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t)
		s := r.apply(lines("panic", 1, time.Minute))
		write(s, "a panic")
		r.expect("+log")
		time.Sleep(61 * time.Second)
		r.expect("-log")
	})
}

func TestLinesOfAFormerRunDoNotCount(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t)
		s := r.apply(lines("x", 3, time.Hour))
		write(s, "x")
		write(s, "x")
		r.Ended(api, 1)
		write(s, "x")
		r.expect("")
		write(s, "x")
		write(s, "x")
		r.expect("+log")
		r.Ended(api, 2)
		r.expect("-log")
		time.Sleep(2 * time.Hour)
		r.expect("")
	})
}

func TestSinkStaysWhileItsPatternsDo(t *testing.T) {
	r := newRig(t)
	s := r.apply(lines("x", 3, time.Hour))
	if r.apply(lines("x", 3, time.Hour), memory(1, 1)) != s {
		t.Error("another sink for the same lines")
	}
	o := r.apply(lines("y", 3, time.Hour))
	if o == s || o == nil {
		t.Error("the former sink for another pattern")
	}
	for range 3 {
		write(s, "x") // it was on its way when the spec changed
	}
	r.expect("")
	if r.apply(memory(1, 1)) != nil {
		t.Error("a sink where nothing is counted")
	}
}

func TestLinesReachTheSetThroughAPipeline(t *testing.T) {
	set := logs.NewSet(logs.Options{})
	defer set.Close()
	p := set.Pipeline("api", spec.Log{Path: t.TempDir() + "/api.log"})
	r := newRig(t)
	p.Listen(r.apply(lines("^bad", 2, time.Hour)))
	take, end := p.Beside()
	take([]byte("bad 1\ngood\nba"))
	r.expect("")
	take([]byte("d 2\n"))
	end()
	r.expect("+log")
	p.Close()
}

func TestLineCostsNoMemory(t *testing.T) {
	r := newRig(t)
	s := r.apply(lines("(?i)login failed: [a-z]+", 1000, time.Hour))
	record := logs.Record{Time: time.Now(), Text: []byte("2026-11-21 12:00:00 a line of a service that matches nothing")}
	if n := testing.AllocsPerRun(1000, func() { s.Take(record) }); n > 0 {
		t.Errorf("%v allocations", n)
	}
	match := logs.Record{Time: time.Now(), Text: []byte("Login failed: bob")}
	for range 1000 {
		s.Take(match)
	}
	if n := testing.AllocsPerRun(1000, func() { s.Take(match) }); n > 0 {
		t.Errorf("%v allocations for a line that matches", n)
	}
}
