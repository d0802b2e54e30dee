package reload

import (
	"context"
	"errors"
	"io/fs"
	"maps"
	"slices"
	"time"

	"servicehost/spec"
)

// lockedAgain is when a file is tried again that another process keeps from being read.
const lockedAgain = time.Second

// look reads what of a group may have changed and tells where its content is new. Where it is not quiet
// yet, or changes while it is read, the look is put off. Only tend calls it.
func (b *Binaries) look(ctx context.Context, g *group) {
	l, err := list(g.Paths, b.opts.Exclude)
	if err == nil && b.restless(g, l) {
		return
	}
	b.watchGroup(g, l)
	var files map[string]string
	if err == nil {
		files, err = b.read(ctx, l)
	}
	again := l
	if err == nil {
		again, err = list(g.Paths, b.opts.Exclude)
	}
	switch {
	case ctx.Err() != nil:
		b.finish(g, time.Time{})
	case err != nil && (isLocked(err) || errors.Is(err, fs.ErrNotExist)):
		b.finish(g, time.Now().Add(max(g.Quiet, lockedAgain)))
	case err != nil:
		b.found(g, l, Content{Problem: err})
	case !again.equal(l):
		b.finish(g, time.Now().Add(g.Quiet))
	default:
		b.found(g, l, Content{Hash: sum(files, l.missing), Files: files, Missing: l.missing})
	}
}

// restless puts a look off where a stamp tells of a write that no event told of, and that is not long ago.
func (b *Binaries) restless(g *group, l *listing) bool {
	b.mu.Lock()
	was := g.seen
	g.seen = l
	rushed, known := g.rushed, g.known
	b.mu.Unlock()
	if rushed || !known || l.equal(was) {
		return false
	}
	now, last := time.Now(), time.Time{}
	for path, s := range l.files {
		if at := s.last(); at.After(last) && !at.After(now) && (was == nil || !s.equal(was.files[path])) {
			last = at
		}
	}
	if now.Sub(last) >= g.Quiet {
		return false
	}
	b.finish(g, last.Add(g.Quiet))
	return true
}

// read returns the hashes of all files, reading those only whose stamps are new.
func (b *Binaries) read(ctx context.Context, l *listing) (map[string]string, error) {
	files := make(map[string]string, len(l.files))
	for _, path := range slices.Sorted(maps.Keys(l.files)) {
		stamp := l.files[path]
		b.mu.Lock()
		was, ok := b.hashes[path]
		b.mu.Unlock()
		if ok && !was.fresh && was.equal(stamp) {
			files[path] = was.hash
			continue
		}
		hash, err := hashWhole(ctx, path)
		if err != nil {
			return nil, err
		}
		b.mu.Lock()
		b.hashes[path] = hashed{fileStamp: stamp, hash: hash, fresh: time.Since(stamp.last()) < freshFor}
		b.mu.Unlock()
		files[path] = hash
	}
	return files, nil
}

// finish ends a look without a result, with another one at due unless one is due already: a write was told of meanwhile,
// and that is to be quiet first.
func (b *Binaries) finish(g *group, due time.Time) {
	b.mu.Lock()
	g.looking = false
	if g.due.IsZero() {
		g.due, g.hurry = due, g.rushed
	}
	b.mu.Unlock()
	b.ringAll()
}

// found takes the result of a look.
func (b *Binaries) found(g *group, l *listing, c Content) {
	b.mu.Lock()
	g.looking = false
	g.seen = l
	c.Since = g.noticed
	news := !g.known || c.Hash != g.content.Hash || (c.Problem == nil) != (g.content.Problem == nil)
	g.known = true
	if news {
		g.content = c
	}
	b.mu.Unlock()
	if news {
		signal(b.trigger)
	}
	b.ringAll()
}

func (b *Binaries) ringAll() {
	b.mu.Lock()
	defer b.mu.Unlock()
	for c := range b.changed {
		signal(c)
	}
}

// watchGroup works out where a change of the group would show.
func (b *Binaries) watchGroup(g *group, l *listing) {
	inputs := make([]spec.Input, len(g.Paths))
	for n, path := range g.Paths {
		inputs[n].Path = path
	}
	p := findPlaces(inputs)
	var tops []string
	if l != nil {
		room := maxSubfolders
		for _, dir := range l.folders {
			top := slices.Contains(g.Paths, dir)
			if top {
				tops = append(tops, dir)
			} else if room--; room < 0 {
				continue
			}
			n := p.names(dir)
			n.patterns = []string{"*", ".*"}
		}
	}
	b.mu.Lock()
	g.tops = tops
	g.want, b.cover = p.folders, true // a folder may be another one under the same name
	b.mu.Unlock()
	b.coverFolders()
}

// coverFolders watches the folders of all groups, where they changed.
func (b *Binaries) coverFolders() {
	b.mu.Lock()
	cover := b.cover
	b.cover = false
	all, tops := map[string]*namesOf{}, map[string]bool{}
	if cover {
		for _, g := range b.groups {
			maps.Copy(all, g.want)
			for _, top := range g.tops {
				tops[top] = true
			}
		}
	}
	b.mu.Unlock()
	if cover {
		b.trees.arrange(tops)
	}
	if cover && b.fs != nil {
		b.folders.arrange(all)
	}
}
