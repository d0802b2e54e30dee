package thresholds

import (
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"slices"
	"strings"
	"testing"
	"time"
)

const mib = 1 << 20

// hours samples a curve (MiB by minutes) every 10 s and returns the minutes at which a limit of 50MiB/h was crossed and
// cleared.
func hours(h float64, curve func(minute float64) float64) (events []float64) {
	g := growth{limit: 50 * mib}
	start := time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC)
	over := false
	for s := 0.; s <= h*3600; s += 10 {
		if v := g.add(start.Add(time.Duration(s)*time.Second), int64(curve(s/60)*mib), over); v != same {
			over = v == crossed
			events = append(events, s/60)
		}
	}
	return events
}

// noise is uniform, from -size to size.
func noise(size float64) func() float64 {
	r := rand.New(rand.NewPCG(1, 2))
	return func() float64 { return size * (2*r.Float64() - 1) }
}

func tooth(minute, period, height float64) float64 { return height * math.Mod(minute, period) / period }

func TestLeakIsFound(t *testing.T) {
	n := noise(10)
	big := noise(40)
	for name, c := range map[string]struct {
		curve  func(m float64) float64
		within float64 // minutes
	}{
		"clean":                  {func(m float64) float64 { return 200 + m }, 85},
		"noise":                  {func(m float64) float64 { return 200 + m + n() }, 90},
		"much noise":             {func(m float64) float64 { return 200 + m + big() }, 120},
		"behind a warm-up":       {func(m float64) float64 { return 200 + 300*(1-math.Exp(-m/8)) + m }, 120},
		"in steps":               {func(m float64) float64 { return 200 + 5*math.Floor(m/5) }, 90},
		"below short teeth":      {func(m float64) float64 { return 200 + m + tooth(m, 4, 80) }, 120},
		"below teeth of 10 min":  {func(m float64) float64 { return 200 + m + tooth(m, 10, 80) }, 150},
		"below teeth of 20 min":  {func(m float64) float64 { return 200 + m + tooth(m, 20, 80) }, 240},
		"after hours of nothing": {func(m float64) float64 { return 200 + max(0, m-600) + n() }, 690},
		"much faster":            {func(m float64) float64 { return 200 + 20*m + n() }, 85},
		"after higher hours": {func(m float64) float64 {
			if m < 300 {
				return 700
			}
			return m - 100
		}, 680},
	} {
		events := hours(12, c.curve)
		if len(events) != 1 || events[0] > c.within {
			t.Errorf("%s: told at minutes %v, want once until %v", name, events, c.within)
		}
	}
}

func TestWhatIsNoLeakIsNotTold(t *testing.T) {
	n := noise(10)
	curves := map[string]func(m float64) float64{
		"flat":                 func(float64) float64 { return 200 },
		"noise":                func(float64) float64 { return 200 + n() },
		"slower":               func(m float64) float64 { return 200 + m*45/60 + n() },
		"warm-up":              func(m float64) float64 { return 200 + 400*(1-math.Exp(-m/20)) + n() },
		"slow warm-up":         func(m float64) float64 { return 200 + 150*(1-math.Exp(-m/40)) + n() },
		"a cache is filled":    func(m float64) float64 { return 200 + 300*min(1, max(0, m-300)/10) + n() },
		"two steps":            func(m float64) float64 { return 200 + 60*math.Floor(min(m, 400)/200) },
		"a day and a night":    func(m float64) float64 { return 400 + 100*math.Sin(m/1440*2*math.Pi) + n() },
		"half an hour of work": func(m float64) float64 { return 200 + 200*math.Exp(-(m-400)*(m-400)/300) + n() },
		"growing teeth":        func(m float64) float64 { return 200 + tooth(m, 7, 20+m) },
	}
	for name, curve := range curves {
		if events := hours(16, curve); len(events) > 0 {
			t.Errorf("%s: told at minutes %v", name, events)
		}
	}
	for _, period := range []float64{.5, 1, 2, 3, 5, 7, 10, 13, 20, 30, 45, 60, 70} {
		for _, height := range []float64{60, 300} {
			n := noise(5)
			if events := hours(6, func(m float64) float64 { return 200 + tooth(m, period, height) + n() }); len(events) > 0 {
				t.Errorf("teeth of %v minutes, %v MiB high: told at minutes %v", period, height, events)
			}
		}
	}
}

func TestEndOfALeakIsTold(t *testing.T) {
	n := noise(5)
	events := hours(8, func(m float64) float64 { return 200 + min(m, 240) + n() })
	if len(events) != 2 || events[0] > 90 || events[1] < 240 || events[1] > 310 {
		t.Errorf("told at minutes %v", events)
	}
}

// TestGapsTeachNothing: a laptop that slept must not make a leak of what it did before and after.
func TestGapsTeachNothing(t *testing.T) {
	g := growth{limit: 50 * mib}
	at := time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC)
	for day := range 10 {
		for range 6 * 50 { // 50 minutes
			if v := g.add(at, int64(200+100*day)*mib, false); v != same {
				t.Fatalf("told on day %d", day)
			}
			at = at.Add(10 * time.Second)
		}
		at = at.Add(8 * time.Hour)
	}
	if len(g.floors) > history || g.add(at.Add(-time.Hour), 1, false) != same {
		t.Error("a clock that was set back is taken for something")
	}
}

func BenchmarkJudge(b *testing.B) {
	n := noise(10)
	v := make([]float64, window)
	for i := range v {
		v[i] = float64(i) + n()
	}
	b.ReportAllocs()
	for b.Loop() {
		theilSen(lowered(v))
	}
}

// TestRecordedLeakIsFoundAndRecordedTeethAreNot: both grow by 60 MiB and more within an hour, and by much noise.
func TestRecordedLeakIsFoundAndRecordedTeethAreNot(t *testing.T) {
	text, err := os.ReadFile("testdata/recorded.txt")
	if err != nil {
		t.Fatal(err)
	}
	var series [2][]float64
	for line := range strings.Lines(string(text)) {
		var kib [2]float64
		if n, _ := fmt.Sscan(line, &kib[0], &kib[1]); n == 2 {
			for i := range series {
				series[i] = append(series[i], kib[i]/1024)
			}
		}
	}
	run := func(v []float64) []float64 {
		return hours(float64(len(v)-1)/360, func(m float64) float64 { return v[int(math.Round(m*6))] })
	}
	if teeth := run(series[0]); len(teeth) > 0 || len(series[0]) < 1000 {
		t.Errorf("teeth are told at minutes %v of %d samples", teeth, len(series[0]))
	}
	if leak := run(series[1]); len(leak) != 1 || leak[0] > 90 {
		t.Errorf("the leak is told at minutes %v", leak)
	}
	if mixed := run(slices.Concat(series[1][:360], series[0][:360], series[1][:360])); len(mixed) > 0 {
		t.Errorf("an hour of it, an hour of something else and an hour of it again are told at minutes %v", mixed)
	}
}
