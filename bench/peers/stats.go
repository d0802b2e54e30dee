package main

import (
	"fmt"
	"math"
	"slices"
	"strconv"
)

// figures are what one thing measured in several rounds, in any order.
type figures []float64

func (f figures) sorted() figures {
	out := slices.Clone(f)
	slices.Sort(out)
	return out
}

// median is the middle one, or the mean of the two in the middle; NaN of none.
func (f figures) median() float64 {
	s := f.sorted()
	switch n := len(s); {
	case n == 0:
		return math.NaN()
	case n%2 == 1:
		return s[n/2]
	default:
		return (s[n/2-1] + s[n/2]) / 2
	}
}

// quantile is the smallest figure that at least the part q of all does not exceed; NaN of none.
func (f figures) quantile(q float64) float64 {
	s := f.sorted()
	if len(s) == 0 {
		return math.NaN()
	}
	// 0.99 * 100 is a little more than 99 in binary: without the rounding the rank would be one too high.
	rank := int(math.Ceil(math.Round(q*float64(len(s))*1e6) / 1e6))
	return s[min(max(rank, 1), len(s))-1]
}

// spread is the median with the least and the greatest, "5.1 (4.0–5.8)"; a single figure stands alone.
func (f figures) spread() string {
	if len(f) == 0 {
		return "–"
	}
	s := f.sorted()
	least, most := number(s[0]), number(s[len(s)-1])
	if least == most {
		return number(s.median())
	}
	return fmt.Sprintf("%s (%s–%s)", number(s.median()), least, most)
}

// number has three digits that count, and no more than a hundredth.
func number(v float64) string {
	switch a := math.Abs(v); {
	case math.IsNaN(v):
		return "–"
	case a < 0.005:
		return "0"
	case a < 9.995:
		return strconv.FormatFloat(v, 'f', 2, 64)
	case a < 99.95:
		return strconv.FormatFloat(v, 'f', 1, 64)
	default:
		return strconv.FormatFloat(v, 'f', 0, 64)
	}
}

// times is a ratio, "1.5×"; nothing where there is none.
func times(v, to float64) string {
	r := v / to
	switch {
	case math.IsNaN(r) || math.IsInf(r, 0):
		return ""
	case r >= 9.95:
		return strconv.FormatFloat(r, 'f', 0, 64) + "×"
	case r >= 1.995:
		return strconv.FormatFloat(r, 'f', 1, 64) + "×"
	}
	return strconv.FormatFloat(r, 'f', 2, 64) + "×"
}
