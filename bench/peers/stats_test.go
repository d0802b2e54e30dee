package main

import (
	"math"
	"testing"
)

func TestMedianTakesTheMiddle(t *testing.T) {
	for _, c := range []struct {
		in   figures
		want float64
	}{{figures{3}, 3}, {figures{9, 1, 5}, 5}, {figures{4, 1, 2, 9}, 3}} {
		if got := c.in.median(); got != c.want {
			t.Errorf("median of %v is %v, want %v", c.in, got, c.want)
		}
	}
	if !math.IsNaN(figures{}.median()) || !math.IsNaN(figures(nil).quantile(0.5)) {
		t.Error("nothing has a median")
	}
}

func TestFiguresKeepTheirOrder(t *testing.T) {
	f := figures{3, 1, 2}
	_ = f.median()
	if f[0] != 3 || f[1] != 1 || f[2] != 2 {
		t.Errorf("sorted in place: %v", f)
	}
}

func TestQuantileIsNearestRank(t *testing.T) {
	var hundred figures
	for i := range 100 {
		hundred = append(hundred, float64(100-i))
	}
	for _, c := range []struct {
		q, want float64
	}{{0, 1}, {0.5, 50}, {0.99, 99}, {1, 100}} {
		if got := hundred.quantile(c.q); got != c.want {
			t.Errorf("quantile %v is %v, want %v", c.q, got, c.want)
		}
	}
	if got := (figures{7, 8}).quantile(0.99); got != 8 {
		t.Errorf("p99 of two is %v, want the worse", got)
	}
}

func TestNumbersHaveThreeDigits(t *testing.T) {
	for v, want := range map[float64]string{
		0: "0", 0.001: "0", 0.456: "0.46", 9.99: "9.99", 9.996: "10.0", 12.34: "12.3", 99.96: "100", 1234.5: "1234", -3.1: "-3.10",
	} {
		if got := number(v); got != want {
			t.Errorf("%v is %q, want %q", v, got, want)
		}
	}
	if got := number(math.NaN()); got != "–" {
		t.Errorf("no number is %q", got)
	}
}

func TestSpreadOfOneIsNoRange(t *testing.T) {
	for _, c := range []struct {
		in   figures
		want string
	}{{nil, "–"}, {figures{2}, "2.00"}, {figures{2, 2.001}, "2.00"}, {figures{5.8, 4, 5.1}, "5.10 (4.00–5.80)"}} {
		if got := c.in.spread(); got != c.want {
			t.Errorf("%v is %q, want %q", c.in, got, c.want)
		}
	}
}

func TestRatioNeedsSomethingToDivideBy(t *testing.T) {
	for _, c := range []struct {
		v, to float64
		want  string
	}{{3, 2, "1.50×"}, {30, 2, "15×"}, {7, 2, "3.5×"}, {3, 0, ""}, {math.NaN(), 2, ""}, {3, math.NaN(), ""}} {
		if got := times(c.v, c.to); got != c.want {
			t.Errorf("%v to %v is %q, want %q", c.v, c.to, got, c.want)
		}
	}
}
