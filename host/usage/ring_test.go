package usage

import (
	"slices"
	"testing"
	"time"
)

var noon = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

// short makes histories that a test can look through.
var short = scale{step: time.Second, length: 8, begin: 2}

func memories(s Series) []int64 {
	var out []int64
	for _, p := range s.Points {
		out = append(out, p.Memory>>10)
	}
	return out
}

func TestRingKeepsTheNewest(t *testing.T) {
	var r ring
	for n := range 30 {
		now := noon.Add(time.Duration(n) * time.Second)
		r.put(short, now, 1, time.Second, int64(n)<<10)
		s := r.series(short, now)
		var want []int64
		for m := max(0, n-7); m <= n; m++ {
			want = append(want, int64(m))
		}
		if got := memories(s); !slices.Equal(got, want) {
			t.Fatalf("after %d: %v, want %v", n, got, want)
		}
		if first := s.Points[0].At; !first.Equal(noon.Add(time.Duration(want[0]) * time.Second)) {
			t.Errorf("the first point is of %v", first)
		}
		if len(r.points) > 8 || n == 2 && len(r.points) != 4 {
			t.Errorf("%d points of room after %d", len(r.points), n)
		}
	}
}

func TestRingHasGaps(t *testing.T) {
	var r ring
	for _, n := range []int{0, 1, 3, 5, 6, 9, 13} {
		r.put(short, noon.Add(time.Duration(n)*time.Second), 1, time.Second, int64(n)<<10)
	}
	now := noon.Add(13 * time.Second)
	if got := memories(r.series(short, now)); !slices.Equal(got, []int64{6, 9, 13}) {
		t.Errorf("%v", got)
	}
	// Time passes without a measurement: what is older than a full ring is not told.
	if got := memories(r.series(short, now.Add(4*time.Second))); !slices.Equal(got, []int64{13}) {
		t.Errorf("%v", got)
	}
	if r.stale(short, now.Add(7*time.Second)) || !r.stale(short, now.Add(8*time.Second)) {
		t.Error("stale at the wrong time")
	}
	if got := memories(r.series(short, now.Add(time.Hour))); len(got) != 0 {
		t.Errorf("%v", got)
	}
	r.put(short, now.Add(time.Hour), 1, time.Second, 99<<10)
	if got := memories(r.series(short, now.Add(time.Hour))); !slices.Equal(got, []int64{99}) {
		t.Errorf("%v", got)
	}
}

func TestRingAveragesCPUAndKeepsTheHighestMemory(t *testing.T) {
	var r ring
	r.put(coarse, noon, 10, 10*time.Second, 5<<20)
	r.put(coarse, noon.Add(20*time.Second), 40, 20*time.Second, 9<<20)
	r.put(coarse, noon.Add(21*time.Second), 40, 0, 1<<20) // too soon after the former one to say anything of CPU
	p := r.series(coarse, noon.Add(time.Minute)).Points
	if len(p) != 1 || p[0].CPUPercent != 30 || p[0].Memory != 9<<20 || !p[0].At.Equal(noon) {
		t.Errorf("%+v", p)
	}
	r.put(coarse, noon.Add(5*time.Minute), 7, 0, 0)
	if p := r.series(coarse, noon.Add(5*time.Minute)).Points; len(p) != 2 || p[1].CPUPercent != 7 || p[1].Memory != 0 {
		t.Errorf("%+v", p)
	}
}

func TestRingWhenTheClockIsSet(t *testing.T) {
	var r ring
	for n := range 5 {
		r.put(short, noon.Add(time.Duration(n)*time.Second), 1, time.Second, int64(n)<<10)
	}
	r.put(short, noon.Add(3*time.Second), 1, time.Second, 7<<10) // by a second: it counts for the newest
	if got := memories(r.series(short, noon.Add(4*time.Second))); !slices.Equal(got, []int64{0, 1, 2, 3, 7}) {
		t.Errorf("%v", got)
	}
	back := noon.Add(-time.Hour)
	r.put(short, back, 1, time.Second, 8<<10)
	if got := memories(r.series(short, back)); !slices.Equal(got, []int64{8}) {
		t.Errorf("%v", got)
	}
	forth := noon.Add(1000 * time.Hour)
	r.put(short, forth, 1, time.Second, 1<<60) // more than fits
	if got := r.series(short, forth).Points; len(got) != 1 || got[0].Memory < 3<<40 {
		t.Errorf("%v", got)
	}
}

func TestScheduleWhenTheClockIsSet(t *testing.T) {
	s := &Sampler{until: noon.Add(time.Minute), watched: map[string]bool{"a": true}}
	d := schedule{round: noon.Add(time.Hour)}
	at := func(now time.Time) time.Duration { return d.next(now, s).Sub(now) }
	if wait := at(noon); wait != middle {
		t.Errorf("waits %v", wait)
	}
	s.until = noon.Add(-time.Hour + time.Minute)
	if wait := at(noon.Add(-time.Hour)); wait != middle {
		t.Errorf("waits %v after the clock was set back", wait)
	}
	if d.look != d.watch {
		t.Errorf("looks at %v and watches at %v: not on one raster", d.look, d.watch)
	}
}
