package restart

import (
	"encoding/json"
	"math"
	"math/rand/v2"
	"reflect"
	"strings"
	"testing"
	"time"

	"servicehost/spec"
)

var (
	start    = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	defaults = spec.Restart{
		Policy: spec.RestartAlways, Delay: time.Second, Factor: 2, MaxDelay: time.Minute, Jitter: 0.1,
		ResetAfter: 30 * time.Second, Limit: 10, Window: 10 * time.Minute, RetryAfter: 10 * time.Minute,
	}
	crash = Exit{Text: "exit 3", Uptime: 1200 * time.Millisecond}
)

func with(f func(*spec.Restart)) spec.Restart {
	p := defaults
	f(&p)
	return p
}

func TestDecideFollowsPolicy(t *testing.T) {
	ok := Exit{Success: true, Text: "exit 0", Uptime: 3 * time.Minute, Healthy: 3 * time.Minute}
	for _, c := range []struct {
		policy spec.RestartPolicy
		e      Exit
		want   Action
		reason string
	}{
		{spec.RestartAlways, crash, Restart, "exit 3 after 1.2s, next try in 1s"},
		{spec.RestartAlways, ok, Restart, "exit 0 after 3m, next start in 1s"},
		{spec.RestartOnFailure, crash, Restart, "exit 3 after 1.2s, next try in 1s"},
		{spec.RestartOnFailure, ok, Exited, "exit 0 after 3m"},
		{spec.RestartNo, ok, Exited, "exit 0 after 3m"},
		{spec.RestartNo, crash, Failed, "exit 3 after 1.2s, not restarted (restart: no)"},
		{"", crash, Failed, "exit 3 after 1.2s, not restarted (restart: no)"},
		{spec.RestartAlways, Exit{StartFailed: true, Text: `start failed: executable "x" not found`}, Restart,
			`start failed: executable "x" not found, next try in 1s`},
		{spec.RestartAlways, Exit{StartFailed: true}, Restart, "start failed, next try in 1s"},
		{spec.RestartAlways, Exit{}, Restart, "ended after 0s, next try in 1s"},
		{spec.RestartNo, Exit{Forced: true, Text: "liveness lost", Uptime: time.Hour}, Restart,
			"liveness lost after 1h, next try in 1s"},
		{spec.RestartNo, Exit{Forced: true, Success: true, Text: "max_runtime reached", Uptime: time.Hour}, Restart,
			"max_runtime reached after 1h, restarted at once"},
	} {
		var s State
		d := s.Decide(with(func(p *spec.Restart) { p.Policy = c.policy }), start, c.e, nil)
		if d.Action != c.want || d.Reason != c.reason {
			t.Errorf("%q with %q: got %s %q, want %s %q", c.policy, c.e.Text, d.Action, d.Reason, c.want, c.reason)
		}
		if d.RetryAfter != 0 {
			t.Errorf("%q with %q: RetryAfter %v, want none", c.policy, c.e.Text, d.RetryAfter)
		}
	}
}

func TestDecideDelaysGrowToTheCap(t *testing.T) {
	p := with(func(p *spec.Restart) { p.Limit = 0 })
	var s State
	want := []time.Duration{1, 2, 4, 8, 16, 32, 60, 60}
	for i, w := range want {
		if d := s.Decide(p, start, crash, nil); d.Delay != w*time.Second {
			t.Errorf("restart %d: delay %v, want %v", i, d.Delay, w*time.Second)
		}
	}
	if s.History != nil {
		t.Errorf("history of %d without a limit", len(s.History))
	}
}

func TestDecideZeroDelayIsAtOnce(t *testing.T) {
	var s State
	d := s.Decide(with(func(p *spec.Restart) { p.Delay = 0 }), start, crash, func() float64 { return 0.9 })
	if d.Delay != 0 || d.Reason != "exit 3 after 1.2s, tried again at once" {
		t.Errorf("got %v %q", d.Delay, d.Reason)
	}
}

func TestDecideLongRunResetsDelayButNotLimit(t *testing.T) {
	var s State
	long := Exit{Text: "exit 1", Uptime: 31 * time.Second, Healthy: 31 * time.Second}
	now := start
	for i := range 10 {
		d := s.Decide(defaults, now, long, nil)
		if d.Action != Restart || d.Delay != time.Second {
			t.Fatalf("restart %d: %+v", i, d)
		}
		now = now.Add(32 * time.Second)
	}
	d := s.Decide(defaults, now, long, nil)
	want := "crash loop: 10 restarts in 10m (last: exit 1 after 31s); tried again in 10m"
	if d.Action != Failed || d.RetryAfter != 10*time.Minute || d.Reason != want {
		t.Errorf("got %+v, want reason %q", d, want)
	}
}

func TestDecideUnhealthyUptimeDoesNotResetDelay(t *testing.T) {
	var s State
	s.Decide(defaults, start, crash, nil)
	d := s.Decide(defaults, start.Add(time.Hour), Exit{Text: "exit 1", Uptime: time.Hour}, nil)
	if d.Delay != 2*time.Second {
		t.Errorf("delay %v after a long run that never was healthy, want 2s", d.Delay)
	}
}

func TestDecideSlowCrashesNeverSpendTheLimit(t *testing.T) {
	var s State
	now := start
	for i := range 1000 {
		if d := s.Decide(defaults, now, crash, nil); d.Action != Restart {
			t.Fatalf("restart %d: %+v", i, d)
		}
		now = now.Add(61 * time.Second)
	}
	if len(s.History) > defaults.Limit {
		t.Errorf("history grew to %d", len(s.History))
	}
}

func TestDecideOneTryAfterAPause(t *testing.T) {
	spend := func(p spec.Restart) (*State, time.Time) {
		s, now := &State{}, start
		for s.Decide(p, now, crash, nil).Action != Failed {
			now = now.Add(time.Second)
		}
		return s, now.Add(p.RetryAfter)
	}
	t.Run("fails again at once", func(t *testing.T) {
		s, now := spend(defaults)
		for range 3 {
			d := s.Decide(defaults, now, crash, nil)
			if d.Action != Failed || d.RetryAfter != defaults.RetryAfter || !strings.HasPrefix(d.Reason, "crash loop: ") {
				t.Fatalf("got %+v", d)
			}
			now = now.Add(24 * time.Hour)
		}
	})
	t.Run("a run that lasts clears the slate", func(t *testing.T) {
		s, now := spend(defaults)
		d := s.Decide(defaults, now, Exit{Text: "exit 1", Uptime: time.Minute, Healthy: time.Minute}, nil)
		if d.Action != Restart || d.Delay != time.Second || len(s.History) != 1 {
			t.Fatalf("got %+v with history %d", d, len(s.History))
		}
	})
	t.Run("by hand only", func(t *testing.T) {
		p := with(func(p *spec.Restart) { p.RetryAfter = 0; p.Limit = 1 })
		s, now := &State{}, start
		s.Decide(p, now, crash, nil)
		d := s.Decide(p, now, crash, nil)
		want := "crash loop: 1 restart in 10m (last: exit 3 after 1.2s); not tried again until it is started by hand"
		if d.Action != Failed || d.RetryAfter != 0 || d.Reason != want {
			t.Errorf("got %+v, want %q", d, want)
		}
	})
	t.Run("survives the host", func(t *testing.T) {
		s, now := spend(defaults)
		data, err := json.Marshal(s)
		if err != nil {
			t.Fatal(err)
		}
		var back State
		if err := json.Unmarshal(data, &back); err != nil {
			t.Fatal(err)
		}
		if !reflect.DeepEqual(*s, back) {
			t.Errorf("%+v came back as %+v", *s, back)
		}
		if d := back.Decide(defaults, now, crash, nil); d.Action != Failed {
			t.Errorf("got %+v", d)
		}
	})
	t.Run("limit lifted meanwhile", func(t *testing.T) {
		s, now := spend(defaults)
		if d := s.Decide(with(func(p *spec.Restart) { p.Limit = 0 }), now, crash, nil); d.Action != Restart {
			t.Errorf("got %+v", d)
		}
	})
	t.Run("reset by an operator", func(t *testing.T) {
		s, now := spend(defaults)
		s.Reset()
		if d := s.Decide(defaults, now, crash, nil); d.Action != Restart || d.Delay != time.Second {
			t.Errorf("got %+v", d)
		}
	})
}

func TestDecidePlannedRestartsAreNotCounted(t *testing.T) {
	var s State
	e := Exit{Forced: true, Success: true, Text: "max_runtime reached", Uptime: time.Second}
	for i := range 100 {
		if d := s.Decide(defaults, start, e, nil); d.Action != Restart || d.Delay != 0 {
			t.Fatalf("restart %d: %+v", i, d)
		}
	}
}

func TestDecideIgnoresHistoryFromTheFuture(t *testing.T) {
	s := State{}
	for range 10 {
		s.History = append(s.History, start.Add(24*time.Hour))
	}
	if d := s.Decide(defaults, start, crash, nil); d.Action != Restart || len(s.History) != 1 {
		t.Errorf("after the clock was set back: %+v, history %d", d, len(s.History))
	}
}

func TestDecideLoweredLimitHoldsAtOnce(t *testing.T) {
	var s State
	for range 5 {
		s.Decide(defaults, start, crash, nil)
	}
	p := with(func(p *spec.Restart) { p.Limit = 3 })
	if d := s.Decide(p, start, crash, nil); d.Action != Failed || len(s.History) != 3 {
		t.Errorf("got %+v with history %d", d, len(s.History))
	}
}

func TestDelayStaysInBoundsWhateverIsAsked(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	odd := []float64{0, 1, 2, -3, 0.5, 1e300, math.Inf(1), math.Inf(-1), math.NaN()}
	for range 20000 {
		p := spec.Restart{
			Delay: time.Duration(r.Int64()) >> r.IntN(63), MaxDelay: time.Duration(r.Int64()) >> r.IntN(63),
			Factor: odd[r.IntN(len(odd))], Jitter: odd[r.IntN(len(odd))],
		}
		most := p.MaxDelay
		if most <= 0 {
			most = 24 * time.Hour
		}
		d := Delay(p, r.IntN(1_000_001), r.Float64)
		if d < 0 || float64(d) > 2*float64(most)+1 {
			t.Fatalf("%+v: delay %v", p, d)
		}
	}
}

func TestDelayJitterSpreadsToBothSides(t *testing.T) {
	p := with(func(p *spec.Restart) { p.Delay = 10 * time.Second })
	for _, c := range []struct {
		rnd  float64
		want time.Duration
	}{{0, 9 * time.Second}, {0.5, 10 * time.Second}, {0.75, 10500 * time.Millisecond}} {
		if got := Delay(p, 0, func() float64 { return c.rnd }); (got - c.want).Abs() > time.Microsecond {
			t.Errorf("rnd %v: %v, want %v", c.rnd, got, c.want)
		}
	}
}

// TestDecideNeverExceedsTheLimit checks the promise of limit against random exits and times: within
// any window there are never more counted restarts than limit, but for the one try after a pause.
func TestDecideNeverExceedsTheLimit(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	for range 200 {
		p := with(func(p *spec.Restart) {
			p.Limit = 1 + r.IntN(8)
			p.Window = time.Duration(1+r.IntN(600)) * time.Second
			p.RetryAfter = p.Window
		})
		var s State
		var restarts []time.Time
		now := start
		for range 300 {
			now = now.Add(time.Duration(r.IntN(120_000)) * time.Millisecond)
			e := Exit{Text: "exit 1", Healthy: time.Duration(r.IntN(60)) * time.Second}
			d := s.Decide(p, now, e, r.Float64)
			if d.Reason == "" {
				t.Fatal("a decision without a reason")
			}
			switch d.Action {
			case Restart:
				restarts = append(restarts, now)
				n := 0
				for _, at := range restarts {
					if now.Sub(at) < p.Window {
						n++
					}
				}
				if n > p.Limit {
					t.Fatalf("%d restarts within %v, limit %d", n, p.Window, p.Limit)
				}
				now = now.Add(d.Delay)
			case Failed:
				now = now.Add(d.RetryAfter)
			case Exited:
				t.Fatalf("a failure was taken for a success: %+v", d)
			}
		}
	}
}
