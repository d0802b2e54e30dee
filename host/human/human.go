// Package human writes durations, numbers of things and paths the way people do. It is a leaf: every
// package that makes sentences may use it, and it knows none of them.
package human

import (
	"strconv"
	"strings"
	"time"
)

const day = 24 * time.Hour

// Duration is d in at most two units, rounded to what a reader cares for: 120ms, 1.2s, 8s, 3m,
// 1m30s, 2h, 1h5m, 3d4h. A negative d reads as 0s.
func Duration(d time.Duration) string {
	switch {
	case d <= 0:
		return "0s"
	case d < time.Millisecond:
		return "1ms"
	}
	if r := d.Round(time.Millisecond); r < time.Second {
		return strconv.FormatInt(int64(r/time.Millisecond), 10) + "ms"
	}
	if r := d.Round(100 * time.Millisecond); r < 10*time.Second {
		s := strconv.FormatFloat(r.Seconds(), 'f', 1, 64)
		if s[len(s)-1] == '0' {
			s = s[:len(s)-2]
		}
		return s + "s"
	}
	if r := d.Round(time.Second); r < time.Hour {
		return two(r, time.Minute, "m", time.Second, "s")
	}
	if r := d.Round(time.Minute); r < day {
		return two(r, time.Hour, "h", time.Minute, "m")
	}
	return two(d.Round(time.Hour), day, "d", time.Hour, "h")
}

// Path is a path in quotes as the system writes it: the backslashes of Windows are not doubled.
func Path(p string) string {
	if strings.ContainsFunc(p, func(r rune) bool { return r == '"' || !strconv.IsPrint(r) }) {
		return strconv.Quote(p)
	}
	return `"` + p + `"`
}

// Count is a number of things: 1 service, 2 services. The plural of the word is made with an s.
func Count(n int, word string) string {
	if n != 1 {
		word += "s"
	}
	return strconv.Itoa(n) + " " + word
}

func two(d, big time.Duration, bigUnit string, small time.Duration, smallUnit string) string {
	var s string
	if n := d / big; n > 0 {
		s = strconv.FormatInt(int64(n), 10) + bigUnit
	}
	if n := d % big / small; n > 0 || s == "" {
		s += strconv.FormatInt(int64(n), 10) + smallUnit
	}
	return s
}
