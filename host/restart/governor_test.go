package restart

import (
	"math"
	"math/rand/v2"
	"testing"
	"time"

	"servicehost/spec"
)

func TestGovernorLetsABurstPassThenSpreads(t *testing.T) {
	g := NewGovernor(spec.Restarts{Rate: 5, Burst: 30})
	for i := range 30 {
		if w := g.Take(start); w != 0 {
			t.Fatalf("place %d of the burst waits %v", i, w)
		}
	}
	for i := range 10 {
		if w, want := g.Take(start), time.Duration(i+1)*200*time.Millisecond; w != want {
			t.Errorf("place %d behind the burst waits %v, want %v", i, w, want)
		}
	}
	if w := g.Take(start.Add(time.Hour)); w != 0 {
		t.Errorf("after an hour of rest a restart waits %v", w)
	}
}

func TestGovernorZeroValueAndNoRateLetAllPass(t *testing.T) {
	none := NewGovernor(spec.Restarts{})
	odd := NewGovernor(spec.Restarts{Rate: math.NaN(), Burst: 1})
	for i, g := range []*Governor{{}, none, odd} {
		for range 1000 {
			if w := g.Take(start); w != 0 {
				t.Fatalf("governor %d: a restart waits %v", i, w)
			}
			g.Return()
		}
	}
}

func TestGovernorReturnedPlaceServesTheNext(t *testing.T) {
	g := NewGovernor(spec.Restarts{Rate: 1, Burst: 1})
	g.Take(start)
	if w := g.Take(start); w != time.Second {
		t.Fatalf("second place waits %v, want 1s", w)
	}
	g.Return()
	if w := g.Take(start); w != time.Second {
		t.Errorf("place after a return waits %v, want 1s", w)
	}
}

func TestGovernorTakesNewFiguresAtOnce(t *testing.T) {
	g := NewGovernor(spec.Restarts{Rate: 1, Burst: 1})
	g.Take(start)
	g.Configure(spec.Restarts{Rate: 10, Burst: 2}, start)
	if w := g.Take(start); w != 100*time.Millisecond {
		t.Errorf("waits %v at 10 a second, want 100ms", w)
	}
	g.Configure(spec.Restarts{}, start)
	if w := g.Take(start); w != 0 {
		t.Errorf("waits %v without a limit", w)
	}
	g.Configure(spec.Restarts{Rate: 1, Burst: 3}, start)
	for i := range 3 {
		if w := g.Take(start); w != 0 {
			t.Errorf("place %d of a fresh burst waits %v", i, w)
		}
	}
}

func TestGovernorSurvivesClocksAndTinyRates(t *testing.T) {
	g := NewGovernor(spec.Restarts{Rate: 1e-300, Burst: 1})
	g.Take(start)
	if w := g.Take(start); w != math.MaxInt64 {
		t.Errorf("waits %v at a rate of nothing", w)
	}
	g = NewGovernor(spec.Restarts{Rate: 1, Burst: 1})
	g.Take(start)
	if w := g.Take(start.Add(-time.Hour)); w != time.Second {
		t.Errorf("after the clock went back a restart waits %v, want 1s", w)
	}
}

// TestGovernorKeepsItsRate checks the law of a token bucket: in any span no more than burst plus
// rate times the span may go, whatever the order of the asking.
func TestGovernorKeepsItsRate(t *testing.T) {
	r := rand.New(rand.NewPCG(5, 6))
	for range 100 {
		rate, burst := 0.5+r.Float64()*20, 1+r.IntN(20)
		g := NewGovernor(spec.Restarts{Rate: rate, Burst: burst})
		var gone []time.Time
		now := start
		for range 200 {
			now = now.Add(time.Duration(r.IntN(300)) * time.Millisecond)
			at := now.Add(g.Take(now))
			if n := len(gone); n > 0 && at.Before(gone[n-1]) {
				t.Fatal("a later asker goes before an earlier one")
			}
			gone = append(gone, at)
		}
		for i := range gone {
			for j := i; j < len(gone); j++ {
				most := float64(burst) + rate*gone[j].Sub(gone[i]).Seconds() + 1e-3
				if n := float64(j - i + 1); n > most+1 {
					t.Fatalf("%v went within %v, at most %.2f may", n, gone[j].Sub(gone[i]), most)
				}
			}
		}
	}
}
