package web

import (
	"net/netip"
	"sync"
	"time"
)

const (
	// guesses is how many wrong sign-ins an address has in a row; guessTime gives one back.
	guesses    = 10
	guessTime  = 6 * time.Second
	maxGuesser = 4096
)

// throttle counts wrong sign-ins by where they come from.
type throttle struct {
	mu   sync.Mutex
	full map[netip.Prefix]time.Time // when an address has all its guesses again
}

func newThrottle() *throttle { return &throttle{full: map[netip.Prefix]time.Time{}} }

// origin is what counts as one: a network of IPv6 has more addresses than could be counted.
func origin(remote string) netip.Prefix {
	a, err := netip.ParseAddrPort(remote)
	if err != nil {
		return netip.Prefix{}
	}
	ip := a.Addr().Unmap().WithZone("")
	if ip.Is4() {
		return netip.PrefixFrom(ip, 32)
	}
	p, _ := ip.Prefix(64)
	return p
}

// take uses up a guess, before it is known whether it is a wrong one: many at a time have no more than a few one
// by one. Where none is left it says for how long.
func (t *throttle) take(from netip.Prefix, now time.Time) (wait time.Duration) {
	t.mu.Lock()
	defer t.mu.Unlock()
	full := t.full[from]
	if full.Before(now) {
		full = now
	}
	if left := full.Add(guessTime).Sub(now) - guesses*guessTime; left > 0 {
		return left
	}
	if _, known := t.full[from]; !known && len(t.full) >= maxGuesser {
		t.forget(now)
	}
	t.full[from] = full.Add(guessTime)
	return 0
}

// giveBack is for a guess that was right.
func (t *throttle) giveBack(from netip.Prefix) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if full, ok := t.full[from]; ok {
		t.full[from] = full.Add(-guessTime)
	}
}

// forget makes room: those who have all their guesses go, and where that are none, the one who has most.
func (t *throttle) forget(now time.Time) {
	var most netip.Prefix
	var first time.Time
	for from, full := range t.full {
		if !full.After(now) {
			delete(t.full, from)
		} else if first.IsZero() || full.Before(first) {
			most, first = from, full
		}
	}
	if len(t.full) >= maxGuesser {
		delete(t.full, most)
	}
}
