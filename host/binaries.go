package host

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"servicehost/host/human"
	"servicehost/host/journal"
	"servicehost/host/shadow"
	"servicehost/host/supervisor"
	"servicehost/reload"
	"servicehost/spec"
)

// binaries joins the watch on the files of services, their shadow copies and the supervisor. To all else a
// changed binary is a changed spec: dress adds what was found to what was loaded.
type binaries struct {
	h      *Host
	copies *shadow.Store
	// changed is rung when something was found that was not handed out.
	changed chan struct{}
	kick    chan struct{}
	ask     chan chan struct{}

	mu      sync.Mutex
	watch   *reload.Binaries // nil as long as nothing was ever watched
	units   map[supervisor.Key]*unit
	exclude []string  // folders and beginnings of files that change by themselves
	byHand  int       // reloads that take in by themselves what is found
	tidy    time.Time // when to look for copies that nobody needs; zero: never
	ended   chan struct{}
}

// unit is what is known of the watched files of one instance.
type unit struct {
	key     supervisor.Key
	of      string // hash of the spec as it was loaded
	id      string
	ident   string // what it is about: with another one all is found anew
	group   string
	program string
	lacking string // why the program can't be run
	shadow  bool
	user    string

	found spec.Binary // as it is now; zero: nobody has looked
	given spec.Binary // as it was handed out
	files map[string]string
	tries int
	again time.Time // when a copy that failed is tried anew
	told  string    // the trouble that was told last
}

// copyAgain is when a copy that failed is tried anew.
const copyAgain = 30 * time.Second

func newBinaries(h *Host, dir string) *binaries {
	return &binaries{
		h: h, copies: shadow.Open(filepath.Join(dir, "shadow")), changed: make(chan struct{}, 1), kick: make(chan struct{}, 1),
		ask: make(chan chan struct{}), units: map[supervisor.Key]*unit{},
	}
}

func keyFor(s *spec.Service) supervisor.Key {
	return supervisor.Key{Service: s.Name, Instance: s.Instance}
}

// handedOut takes note of what was handed out, and watches what that asks for. It is told in the order of
// the edits.
func (b *binaries) handedOut(next, dressed *spec.Spec) {
	units, groups := map[supervisor.Key]*unit{}, map[string]reload.Group{}
	for n, s := range next.Services {
		if !s.Watch.On() {
			continue
		}
		u := b.describe(s)
		u.given = dressed.Services[n].Binary
		units[u.key] = u
		paths := strings.Split(u.group, "\x00")[1:]
		groups[u.group] = reload.Group{Name: u.group, Paths: paths, Quiet: s.Watch.Quiet}
	}
	b.mu.Lock()
	for k, u := range units {
		if was := b.units[k]; was != nil && was.ident == u.ident {
			u.found, u.files, u.tries, u.again, u.told = was.found, was.files, was.tries, was.again, was.told
		}
	}
	b.units = units
	b.exclude = nil
	if len(units) > 0 {
		b.exclude = excluded(next)
	}
	b.tidy = time.Now().Add(tidyAfter)
	watch := b.watch
	if watch == nil && len(units) > 0 {
		b.ended = make(chan struct{})
		b.watch = reload.WatchBinaries(b.h.ctx, reload.BinariesOptions{Exclude: b.excludes})
		watch = b.watch
		go b.loop(b.h.ctx, watch)
	}
	b.mu.Unlock()
	if watch != nil {
		watch.SetGroups(slices.Collect(maps.Values(groups)))
		poke(b.kick)
	}
}

// recheck looks at the watched files, for events may be missing.
func (b *binaries) recheck() {
	b.mu.Lock()
	watch := b.watch
	b.mu.Unlock()
	if watch != nil {
		watch.Recheck()
	}
}

// tidyAfter is when a change has proved itself, and what it replaced is not needed any more; tidyAgain is
// when that is looked at again.
const (
	tidyAfter = 20 * time.Second
	tidyAgain = time.Minute
)

func (b *binaries) loop(ctx context.Context, watch *reload.Binaries) {
	defer close(b.ended)
	timer := time.NewTimer(time.Hour)
	defer timer.Stop()
	for {
		if next := b.nextTime(); next.IsZero() {
			timer.Stop()
		} else {
			timer.Reset(time.Until(next))
		}
		var asked chan struct{}
		select {
		case <-ctx.Done():
			return
		case <-watch.C():
		case <-b.kick:
		case asked = <-b.ask:
		case <-timer.C:
			b.prune()
		}
		b.round(ctx, watch)
		if asked != nil {
			close(asked)
		}
	}
}

// wait returns when the loop has ended with the context of the host.
func (b *binaries) wait() {
	b.mu.Lock()
	ended := b.ended
	b.mu.Unlock()
	if ended != nil {
		<-ended
	}
}

// nextTime is when something is to be done that nobody rings for; zero: never.
func (b *binaries) nextTime() time.Time {
	b.mu.Lock()
	defer b.mu.Unlock()
	next, copying := b.tidy, false
	for _, u := range b.units {
		copying = copying || u.shadow
		if u.found.Problem != "" && (next.IsZero() || u.again.Before(next)) {
			next = u.again
		}
	}
	if !copying {
		return time.Time{}
	}
	return next
}

// round takes in what the watch found. What has to be copied comes last, one after the other.
func (b *binaries) round(ctx context.Context, watch *reload.Binaries) {
	b.mu.Lock()
	units := slices.SortedFunc(maps.Values(b.units), func(x, y *unit) int { return strings.Compare(x.key.String(), y.key.String()) })
	b.mu.Unlock()
	for _, u := range units {
		if !u.shadow {
			b.settle(ctx, watch, u)
		}
	}
	b.tell()
	news := false
	for n, u := range units {
		news = u.shadow && b.settle(ctx, watch, u) || news
		// The instances of a service at once: they are one rollout.
		if last := n+1 == len(units) || units[n+1].key.Service != u.key.Service; last && news {
			b.tell()
			news = false
		}
	}
}

// settle compares what was found of one instance to what is known of it, and reports whether that is news.
func (b *binaries) settle(ctx context.Context, watch *reload.Binaries, u *unit) bool {
	c, known := watch.Content(u.group)
	b.mu.Lock()
	was, files := u.found, u.files
	same := c.Problem == nil && was.Content == c.Hash && (was.Problem == "" || time.Now().Before(u.again))
	if known && same {
		u.told = "" // it is back
	}
	b.mu.Unlock()
	if !known || same {
		return false
	}
	now := spec.Binary{Content: c.Hash, Files: changedFiles(files, c.Files), Since: c.Since}
	had := was.Known() && was.Problem == ""
	switch {
	case c.Problem != nil && had:
		b.trouble(u, c.Problem.Error()+"; it goes on with what it runs")
		return false
	case c.Problem != nil:
		now.Content = spec.BinaryUnknown
		if u.shadow {
			now.Problem = c.Problem.Error()
		} else {
			b.trouble(u, c.Problem.Error())
		}
	case len(c.Missing) > 0 && had:
		b.trouble(u, fmt.Sprintf("the watched file %s is gone; service %q goes on with what it runs", human.Path(c.Missing[0]), u.id))
		return false
	case u.shadow && u.program == "":
		now.Problem = u.lacking
	case u.shadow:
		program, err := b.copies.Make(ctx, shadow.Source{
			Owner: u.key.Service, ID: c.Hash[:12] + "-" + shortHash(u.program), Program: u.program, Content: c.Files, Exclude: b.excludes, User: u.user,
		})
		if ctx.Err() != nil {
			return false
		}
		if err != nil && !b.accept(watch, u, err) {
			return false
		}
		now.Copy = program
		if err != nil {
			now.Copy, now.Problem = "", err.Error()
		}
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	u.found, u.files, u.told, u.tries = now, c.Files, "", 0
	b.tidy = time.Now().Add(tidyAfter)
	if now.Problem != "" {
		u.again = time.Now().Add(copyAgain)
	}
	return true
}

// accept reports whether a copy that failed is told of: one whose source changed meanwhile is made anew
// once that is quiet.
func (b *binaries) accept(watch *reload.Binaries, u *unit, err error) bool {
	const tries = 5
	b.mu.Lock()
	defer b.mu.Unlock()
	u.tries++
	if errors.Is(err, shadow.ErrChanged) && u.tries < tries {
		watch.Look(u.group)
		return false
	}
	return true
}

// trouble says once what is the matter with watched files.
func (b *binaries) trouble(u *unit, what string) {
	b.mu.Lock()
	told := u.told == what
	u.told = what
	b.mu.Unlock()
	if !told {
		b.h.publish(journal.Event{Kind: journal.Warning, Service: u.key.Service, Instance: u.key.Instance, ID: u.id, Reason: what})
	}
}
