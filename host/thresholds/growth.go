package thresholds

import (
	"slices"
	"time"
)

// A leak is told from other growth by four questions to the floor of the memory, its lowest value in each minute:
//
//   - Does it rise by the limit? The slope is that of Theil and Sen, the median of the slopes between all pairs of
//     minutes, as in the studies of software aging: an outlier moves it by nothing. Before, each minute is lowered to
//     the lowest one behind it: what a collector gave back later is no growth, so teeth count from valley to valley.
//   - All the time? A cache that is filled once is a step, which most parts of the window know nothing of.
//   - Without becoming slower? What warms up does.
//   - To where it never was? Teeth that are longer than the window come as high as the ones before, and no higher.
const (
	minute = time.Minute
	// warmUp is how long a run may grow after its start.
	warmUp = 15 * minute
	// window is the number of minutes that are judged, part the share of it that has to grow by itself.
	window = 60
	part   = 10
	// history is how many minutes back teeth are known, recent the last of them with which nothing is compared,
	// valley the width of one.
	history = 6 * 60
	recent  = 45
	valley  = 10
	// sure is how many minutes in a row must say the same.
	sure = 5
)

// growth finds a leak in the samples of one run.
type growth struct {
	limit  float64 // bytes per hour
	began  time.Time
	floors []float64 // of the minutes behind warmUp, oldest first; at most history of them
	now    int       // the minute that is being sampled
	lowest float64   // of it

	slope        float64 // bytes per hour, of the last judgement
	above, below int     // judgements in a row
}

// verdict is what a sample changes.
type verdict int

const (
	same verdict = iota
	crossed
	cleared
)

// add takes a sample and says what is to be told. over reports whether a leak was told.
func (g *growth) add(at time.Time, bytes int64, over bool) verdict {
	if g.began.IsZero() {
		g.began, g.now, g.lowest = at, 0, float64(bytes)
		return same
	}
	n := int(at.Sub(g.began) / minute)
	if n <= g.now { // also where the clock was set back
		g.lowest = min(g.lowest, float64(bytes))
		return same
	}
	if gap := n - g.now; gap > valley { // nobody looked, as the machine slept: what was before says nothing of now
		limit := g.limit
		*g = growth{limit: limit, began: at.Add(-min(at.Sub(g.began), warmUp))}
		g.now, g.lowest = int(at.Sub(g.began)/minute), float64(bytes)
		return same
	} else if g.began.Add(time.Duration(g.now)*minute).Sub(g.began) >= warmUp {
		for range gap {
			g.floors = append(g.floors, g.lowest)
		}
		g.floors = g.floors[max(0, len(g.floors)-history):]
	}
	g.now, g.lowest = n, float64(bytes)
	return g.judge(over)
}

// judge looks at the window once a minute.
func (g *growth) judge(over bool) verdict {
	if len(g.floors) < window {
		return same
	}
	all := lowered(g.floors[len(g.floors)-window:])
	// What is steady rises by more than this; most services don't, and cost nothing else.
	if g.slope = all[window-1] - all[0]; g.slope >= 0.4*g.limit {
		g.slope = theilSen(all)
	}
	leak := g.slope >= g.limit && steady(all, g.limit) && g.higherThanEver()
	low := g.slope < 0.9*g.limit
	g.above, g.below = count(leak, g.above), count(low, g.below)
	switch {
	case !over && g.above >= sure:
		return crossed
	case over && g.below >= sure:
		return cleared
	}
	return same
}

func count(yes bool, n int) int {
	if yes {
		return n + 1
	}
	return 0
}

// lowered returns each value lowered to the lowest one behind it.
func lowered(floors []float64) []float64 {
	out := slices.Clone(floors)
	for i := len(out) - 2; i >= 0; i-- {
		out[i] = min(out[i], out[i+1])
	}
	return out
}

// theilSen is the median slope between two of the values, which are a minute apart, per hour.
func theilSen(v []float64) float64 {
	slopes := make([]float64, 0, len(v)*(len(v)-1)/2)
	for i := range v {
		for j := i + 1; j < len(v); j++ {
			slopes = append(slopes, (v[j]-v[i])/float64(j-i))
		}
	}
	slices.Sort(slopes)
	return slopes[len(slopes)/2] * 60
}

// steady reports whether values rise in all parts of the window by half of what the limit means at least, and in the
// last ones not much less than in the first.
func steady(v []float64, limit float64) bool {
	const parts = window / part
	var rises [parts - 1]float64
	before := mean(v[:part])
	for i := range rises {
		level := mean(v[(i+1)*part : (i+2)*part])
		if rises[i], before = level-before, level; rises[i] < limit*part/60/2 {
			return false
		}
	}
	return rises[3]+rises[4] >= (rises[0]+rises[1])/2
}

func mean(v []float64) float64 {
	sum := 0.
	for _, x := range v {
		sum += x
	}
	return sum / float64(len(v))
}

// higherThanEver reports whether the present valley is higher than every valley that is not recent, by what a leak
// grows in a quarter of the window.
func (g *growth) higherThanEver() bool {
	before := g.floors[:len(g.floors)-recent]
	least := slices.Min(g.floors[len(g.floors)-valley:]) - g.limit*window/60/4
	for i := valley; i <= len(before); i++ {
		if slices.Min(before[i-valley:i]) >= least {
			return false
		}
	}
	return true
}
