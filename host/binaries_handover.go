package host

import (
	"context"
	"slices"
	"time"

	"servicehost/host/supervisor"
	"servicehost/spec"
)

// tell hands in what was found of services that wait for it, and rings where more was found than was handed out.
func (b *binaries) tell() {
	found := map[supervisor.Key]supervisor.Found{}
	b.mu.Lock()
	for k, u := range b.units {
		if u.given.Content == "" && u.found.Content != "" {
			found[k] = supervisor.Found{Of: u.of, Binary: u.found}
			u.given = u.found
		}
	}
	differs := b.byHand == 0 && b.differsLocked()
	b.mu.Unlock()
	if len(found) > 0 {
		_ = b.h.sup.Identify(found) // it fails when the host stops
		b.h.keepFound()
	}
	if differs {
		poke(b.changed)
	}
}

func (b *binaries) differsLocked() bool {
	for _, u := range b.units {
		if u.given.Content != "" && (u.given.Content != u.found.Content || u.given.Problem != u.found.Problem) {
			return true
		}
	}
	return false
}

// differs reports whether something was found that was not handed out.
func (b *binaries) differs() bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.differsLocked()
}

// handled reports whether a reload by hand takes in what is found.
func (b *binaries) handled() bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.byHand > 0
}

// settled looks at all watched files now, without waiting for quiet, and makes the copies that asks for.
// Until the returned function is called the caller takes in what was found.
func (b *binaries) settled(ctx context.Context) (release func()) {
	b.mu.Lock()
	watch := b.watch
	b.byHand++
	b.mu.Unlock()
	if watch != nil {
		watch.Settle(ctx)
		done := make(chan struct{})
		select {
		case b.ask <- done:
			select {
			case <-done:
			case <-ctx.Done():
			case <-b.h.ctx.Done():
			}
		case <-ctx.Done():
		case <-b.h.ctx.Done():
		}
	}
	return func() {
		b.mu.Lock()
		b.byHand--
		differs := b.byHand == 0 && b.differsLocked()
		b.mu.Unlock()
		if differs {
			poke(b.changed)
		}
	}
}

// prune deletes the copies that nobody runs or would go back to, when it is time to.
func (b *binaries) prune() {
	var keep []string
	wanted := map[string]bool{}
	b.mu.Lock()
	if b.tidy.IsZero() || time.Now().Before(b.tidy) {
		b.mu.Unlock()
		return
	}
	for _, u := range b.units {
		keep = append(keep, u.found.Copy, u.given.Copy)
		wanted[u.found.Copy] = true
		if u.shadow && u.found.Content == "" { // not all is known yet
			b.tidy = time.Now().Add(tidyAfter)
			b.mu.Unlock()
			return
		}
	}
	b.tidy = time.Time{}
	b.mu.Unlock()
	for _, p := range b.h.sup.Snapshots() {
		for _, s := range []*spec.Service{p.Spec, p.Started, p.Beside, p.Former} {
			if s != nil {
				keep = append(keep, s.Binary.Copy)
			}
		}
	}
	keep = slices.DeleteFunc(keep, func(p string) bool { return p == "" })
	left, err := b.copies.Prune(keep)
	if err != nil {
		b.h.log.Warn("cannot delete old shadow copies: " + err.Error())
	}
	if left > 0 || slices.ContainsFunc(keep, func(p string) bool { return !wanted[p] }) {
		b.mu.Lock()
		if b.tidy.IsZero() {
			b.tidy = time.Now().Add(tidyAgain)
		}
		b.mu.Unlock()
	}
}
