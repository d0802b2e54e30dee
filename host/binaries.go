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

// describe works out what is to be watched and copied for a service.
func (b *binaries) describe(s *spec.Service) *unit {
	b.mu.Lock()
	was := b.units[keyFor(s)]
	b.mu.Unlock()
	if was != nil && was.of == s.Hash && was.lacking == "" {
		return &unit{key: was.key, of: was.of, id: s.ID, ident: was.ident, group: was.group, program: was.program, shadow: was.shadow, user: was.user}
	}
	u := &unit{key: keyFor(s), of: s.Hash, id: s.ID, shadow: s.Watch.ShadowCopy, user: s.User}
	var err error
	if u.program, err = b.h.sup.Program(s); err != nil {
		u.lacking = err.Error()
	}
	paths := s.Watch.Paths
	if len(paths) == 0 && u.program != "" {
		paths = []string{u.program}
	}
	u.group = strings.Join(append([]string{s.Watch.Quiet.String()}, paths...), "\x00")
	u.ident = fmt.Sprintf("%q %q %t %q", u.group, u.program, u.shadow, u.user)
	return u
}

// dress returns the spec with what was found of the watched files. Where nothing was found yet it stays
// as it is, and the supervisor waits.
func (b *binaries) dress(sp *spec.Spec) *spec.Spec {
	b.mu.Lock()
	none := len(b.units) == 0
	b.mu.Unlock()
	if none || !slices.ContainsFunc(sp.Services, func(s *spec.Service) bool { return s.Watch.On() }) {
		return sp
	}
	out := *sp
	out.Services = slices.Clone(sp.Services)
	for n, s := range out.Services {
		if !s.Watch.On() {
			continue
		}
		now := b.describe(s)
		b.mu.Lock()
		if u := b.units[now.key]; u != nil && u.ident == now.ident && u.found.Content != "" {
			out.Services[n] = s.WithBinary(u.found)
		}
		b.mu.Unlock()
	}
	return &out
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
	b.exclude = excluded(next)
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

// excluded names what the host itself writes.
func excluded(sp *spec.Spec) []string {
	out := []string{sp.Host.StateDir + string(filepath.Separator), sp.Host.Logs.Dir + string(filepath.Separator), sp.Host.StateDir, sp.Host.Logs.Dir}
	if sp.Host.Log.Path != "" {
		out = append(out, sp.Host.Log.Path)
	}
	for _, s := range sp.Services {
		ext := filepath.Ext(s.Log.Path)
		out = append(out, strings.TrimSuffix(s.Log.Path, ext)+ext, strings.TrimSuffix(s.Log.Path, ext)+"-", s.Log.Path+".")
		if s.Log.Stderr != "" {
			out = append(out, s.Log.Stderr)
		}
	}
	return out
}

func (b *binaries) excludes(path string) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return slices.ContainsFunc(b.exclude, func(p string) bool { return strings.HasPrefix(path, p) })
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
	for _, u := range units {
		if u.shadow && b.settle(ctx, watch, u) {
			b.tell()
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
		for _, s := range []*spec.Service{p.Spec, p.Started, p.Former} {
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
