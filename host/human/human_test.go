package human

import (
	"math"
	"testing"
	"time"
)

func TestDurationReadsLikeSpeech(t *testing.T) {
	for _, c := range []struct {
		d    time.Duration
		want string
	}{
		{-time.Second, "0s"}, {0, "0s"}, {10 * time.Microsecond, "1ms"}, {120 * time.Millisecond, "120ms"},
		{999500 * time.Microsecond, "1s"}, {1234 * time.Millisecond, "1.2s"}, {8 * time.Second, "8s"},
		{9960 * time.Millisecond, "10s"}, {59600 * time.Millisecond, "1m"}, {90 * time.Second, "1m30s"},
		{3 * time.Minute, "3m"}, {time.Hour - time.Millisecond, "1h"}, {2 * time.Hour, "2h"},
		{65 * time.Minute, "1h5m"}, {day, "1d"}, {76 * time.Hour, "3d4h"}, {math.MaxInt64, "106751d23h"},
		{math.MinInt64, "0s"},
	} {
		if got := Duration(c.d); got != c.want {
			t.Errorf("Duration(%v) = %q, want %q", c.d, got, c.want)
		}
	}
}

func TestCountSaysOneOrMore(t *testing.T) {
	for n, want := range map[int]string{0: "0 services", 1: "1 service", 2: "2 services"} {
		if got := Count(n, "service"); got != want {
			t.Errorf("Count(%d) is %q, want %q", n, got, want)
		}
	}
}

func TestPathKeepsBackslashesAndNoLineBreaks(t *testing.T) {
	for p, want := range map[string]string{`C:\srv\new`: `"C:\srv\new"`, "/srv/\u670d": "\"/srv/\u670d\"", "a\nb": `"a\nb"`, `a"b`: `"a\"b"`} {
		if got := Path(p); got != want {
			t.Errorf("Path(%q) is %s, want %s", p, got, want)
		}
	}
}
