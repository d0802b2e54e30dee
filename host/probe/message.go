package probe

import (
	"math"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"servicehost/host/human"
)

// Message is what one datagram of sd_notify, or one piece of a pipe, says. See sd_notify(3).
type Message struct {
	Ready     bool
	Reloading bool
	Stopping  bool
	Status    *string // nil: nothing about it
	MainPID   int
	Errno     int
	// Extend is how much longer from now a start or a stop may take.
	Extend time.Duration

	Watchdog       bool          // it is alive
	Trigger        bool          // it wants to be restarted
	WatchdogPeriod time.Duration // how often it will say so
	// Barrier asks for an answer once everything before it was taken in.
	Barrier bool
}

const (
	// maxMessage is what systemd takes of one datagram too.
	maxMessage = 4096
	maxStatus  = 512
)

// ParseMessage reads newline-separated assignments. What it does not know, or makes no sense, is passed over:
// programs say what later versions of systemd understand.
func ParseMessage(data []byte) Message {
	var m Message
	for line := range strings.SplitSeq(strings.ToValidUTF8(string(data), "\uFFFD"), "\n") {
		name, value, ok := strings.Cut(strings.TrimRight(line, "\r\x00"), "=")
		if !ok {
			continue
		}
		switch name {
		case "READY":
			m.Ready = m.Ready || value == "1"
		case "RELOADING":
			m.Reloading = m.Reloading || value == "1"
		case "STOPPING":
			m.Stopping = m.Stopping || value == "1"
		case "BARRIER":
			m.Barrier = m.Barrier || value == "1"
		case "STATUS":
			s := clip(human.Plain(value), maxStatus)
			m.Status = &s
		case "MAINPID":
			m.MainPID = number(value)
		case "ERRNO":
			m.Errno = number(value)
		case "EXTEND_TIMEOUT_USEC":
			m.Extend = microseconds(value)
		case "WATCHDOG":
			m.Watchdog = m.Watchdog || value == "1"
			m.Trigger = m.Trigger || value == "trigger"
		case "WATCHDOG_USEC":
			m.WatchdogPeriod = microseconds(value)
		}
	}
	return m
}

func number(s string) int {
	n, err := strconv.ParseInt(s, 10, 32)
	if err != nil || n < 0 {
		return 0
	}
	return int(n)
}

func microseconds(s string) time.Duration {
	n, err := strconv.ParseUint(s, 10, 64)
	if err != nil {
		return 0
	}
	return time.Duration(min(n, math.MaxInt64/uint64(2*time.Microsecond))) * time.Microsecond
}

// clip shortens s to at most n bytes, between characters.
func clip(s string, n int) string {
	if len(s) <= n {
		return s
	}
	for n > 0 && !utf8.RuneStart(s[n]) {
		n--
	}
	return s[:n]
}
