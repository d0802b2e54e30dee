package logs

import (
	"math"
	"strconv"
	"time"
)

// limiter lets some lines per second through, and counts the others. As many as in one second may come at once.
type limiter struct {
	rate, burst, tokens float64
	last                time.Time

	lines, bytes int64 // dropped since it was told
	since, until time.Time
}

// tellEvery is how often a file says what was dropped while lines come without a break.
const tellEvery = 10 * time.Second

func newLimiter(rate float64) *limiter {
	if rate <= 0 {
		return nil
	}
	burst := max(1, rate)
	return &limiter{rate: rate, burst: burst, tokens: burst}
}

// at says that it is now.
func (l *limiter) at(now time.Time) {
	if d := now.Sub(l.last); d > 0 || l.last.IsZero() {
		l.tokens = min(l.burst, l.tokens+l.rate*min(d, time.Hour).Seconds())
	}
	l.last = now
}

// empty reports whether no line passes before the time goes on.
func (l *limiter) empty() bool { return l.tokens < 1 }

// pass reports whether one more line may pass.
func (l *limiter) pass() bool {
	if l.empty() {
		return false
	}
	l.tokens--
	return true
}

// passMore is pass for a line that belongs to one that did: these stay together, up to a second's worth.
func (l *limiter) passMore() bool {
	if l.tokens <= -l.burst {
		return false
	}
	l.tokens--
	return true
}

// drop counts lines as dropped.
func (l *limiter) drop(lines, bytes int64) {
	if l.lines == 0 && l.bytes == 0 {
		l.since = l.last
	}
	l.until = l.last
	l.lines += lines
	l.bytes += bytes
}

// pending reports whether something was dropped that no line says.
func (l *limiter) pending() bool { return l != nil && l.bytes > 0 }

// due reports whether it is time to say what was dropped, though more may be.
func (l *limiter) due() bool { return l.pending() && l.last.Sub(l.since) >= tellEvery }

// tell returns what is to be said, and begins anew.
func (l *limiter) tell() string {
	text := droppedText(l.lines, l.bytes, l.since, l.until, "more than "+rateText(l.rate))
	l.lines, l.bytes = 0, 0
	return text
}

// rateText is a rate in the unit in which it reads well.
func rateText(perSecond float64) string {
	n, unit := perSecond, "second"
	if n < 1 {
		n, unit = perSecond*60, "minute"
	}
	if n < 1 {
		n, unit = perSecond*3600, "hour"
	}
	return strconv.FormatFloat(math.Round(n*1000)/1000, 'f', -1, 64) + " lines per " + unit
}
