package reload

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"time"

	"github.com/fsnotify/fsnotify"
)

// Group is files that count as one: what a service is restarted for.
type Group struct {
	// Name tells the group from others; a group of another name is looked at anew.
	Name string
	// Paths are absolute. A folder stands for all files below it.
	Paths []string
	// Quiet is how long nothing must have been written before a change counts.
	Quiet time.Duration
}

// Content is what the files of a group held when it was quiet.
type Content struct {
	// Hash identifies names and contents; empty where Problem is why it is not known.
	Hash    string
	Problem error
	// Files are the hashes of the contents by path.
	Files map[string]string
	// Missing are the paths at which nothing was.
	Missing []string
	// Since is when a change was noticed last; zero for the first look.
	Since time.Time
}

// BinariesOptions are options of WatchBinaries.
type BinariesOptions struct {
	// Poll is the time between two looks at names, sizes and times, for changes that no event tells of; 0
	// is 30 s. Where folders can't be watched it is 2 s. It grows with the number of files.
	Poll time.Duration
	// Exclude names what does not count although it lies in a watched folder. It must not block.
	Exclude func(path string) bool
}

const (
	binariesPoll        = 30 * time.Second
	binariesTroublePoll = 2 * time.Second
	// pollShare bounds the part of the time that polls take.
	pollShare = 500
)

// Binaries watches groups of files of any size. Unlike Watcher it reads a file only where its stamp is a
// new one, one file at a time and on a goroutine of its own. Its methods may be called from any goroutine.
type Binaries struct {
	opts    BinariesOptions
	trigger chan struct{}
	wake    chan struct{}
	done    chan struct{}

	folders // belongs to the goroutine of tend
	trees   trees

	mu      sync.Mutex
	groups  map[string]*group
	hashes  map[string]hashed // by path
	changed map[chan struct{}]bool
	cover   bool // groups came or went: the folders have to be looked at
}

// hashed is the hash of a file and the stamp it had. One that was written just before it was read may
// change without a new stamp and is read again.
type hashed struct {
	fileStamp
	hash  string
	fresh bool
}

// group is a watched group. Its fields belong to the mutex, but for what a look works with.
type group struct {
	Group
	due     time.Time // when to look; zero: nothing is to be looked at
	noticed time.Time // when a change was noticed last
	hurry   bool      // whoever asked for the look that is due does not wait for quiet
	looking bool
	rushed  bool     // nor for the look that is under way
	seen    *listing // of the last look or poll
	want    map[string]*namesOf
	tops    []string // paths that are folders
	content Content
	known   bool
}

// WatchBinaries watches the groups given to SetGroups until ctx ends.
func WatchBinaries(ctx context.Context, o BinariesOptions) *Binaries {
	b := newBinaries(o)
	go b.run(ctx)
	return b
}

func newBinaries(o BinariesOptions) *Binaries {
	if o.Poll <= 0 {
		o.Poll = binariesPoll
	}
	if o.Exclude == nil {
		o.Exclude = func(string) bool { return false }
	}
	b := &Binaries{
		opts: o, trigger: make(chan struct{}, 1), wake: make(chan struct{}, 1), done: make(chan struct{}),
		folders: folders{watched: map[string]os.FileInfo{}}, groups: map[string]*group{}, hashes: map[string]hashed{}, changed: map[chan struct{}]bool{},
	}
	b.trees.report = b.treeChanged
	return b
}

// C is ready when the content of a group became known or differs from the one before.
func (b *Binaries) C() <-chan struct{} { return b.trigger }

// Done is closed when the watch has ended with its context.
func (b *Binaries) Done() <-chan struct{} { return b.done }

// SetGroups says what to watch. New groups are looked at at once, whatever their quiet is.
func (b *Binaries) SetGroups(groups []Group) {
	b.mu.Lock()
	defer b.mu.Unlock()
	keep := map[string]bool{}
	for _, g := range groups {
		keep[g.Name] = true
		if was := b.groups[g.Name]; was != nil {
			was.Quiet = g.Quiet
			continue
		}
		b.groups[g.Name] = &group{Group: g, due: time.Now(), hurry: true}
		b.cover = true
	}
	for name := range b.groups {
		if !keep[name] {
			delete(b.groups, name)
			b.cover = true
		}
	}
	if len(b.groups) == 0 {
		clear(b.hashes)
	}
	signal(b.wake)
}

// Content returns what a group held when it was looked at last, and whether it was.
func (b *Binaries) Content(name string) (Content, bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if g := b.groups[name]; g != nil {
		return g.content, g.known
	}
	return Content{}, false
}

// Look has a group looked at once more: what was seen of it did not hold.
func (b *Binaries) Look(name string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if g := b.groups[name]; g != nil && g.due.IsZero() {
		g.due = time.Now().Add(g.Quiet)
		signal(b.wake)
	}
}

// Recheck has every group looked at once it is quiet, whatever events there were: some may be missing.
func (b *Binaries) Recheck() { b.notice(func(*group) bool { return true }) }

// Settle looks at every group without waiting for quiet, and returns when it has or ctx ends. What is written during its look
// is left to the watch, which waits for quiet; a file that is locked is waited for.
func (b *Binaries) Settle(ctx context.Context) {
	ring := make(chan struct{}, 1)
	b.mu.Lock()
	for _, g := range b.groups {
		g.due, g.hurry = time.Now(), true
	}
	b.changed[ring] = true
	b.mu.Unlock()
	defer func() {
		b.mu.Lock()
		delete(b.changed, ring)
		b.mu.Unlock()
	}()
	signal(b.wake)
	for b.hurried() {
		select {
		case <-ring:
		case <-b.done:
			return
		case <-ctx.Done():
			return
		}
	}
}

func (b *Binaries) hurried() bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, g := range b.groups {
		if g.looking || g.hurry && !g.due.IsZero() {
			return true
		}
	}
	return false
}

func (b *Binaries) run(ctx context.Context) {
	defer close(b.done)
	var wg sync.WaitGroup
	var err error
	if b.fs, err = fsnotify.NewWatcher(); err != nil {
		b.fs = nil // polls do it then
	} else {
		wg.Go(func() { b.listen(ctx, b.fs) })
	}
	b.tend(ctx)
	b.trees.close()
	if b.fs != nil {
		closeWatcher(b.fs)
	}
	wg.Wait()
}

// listen takes events and does nothing that could wait.
func (b *Binaries) listen(ctx context.Context, fs *fsnotify.Watcher) {
	for {
		select {
		case <-ctx.Done():
			return
		case e, ok := <-fs.Events:
			if !ok {
				return
			}
			if e.Op != fsnotify.Chmod && !b.opts.Exclude(e.Name) {
				b.notice(func(g *group) bool { return g.concerns(e.Name) })
			}
		case _, ok := <-fs.Errors: // too many events: some are missing
			if !ok {
				return
			}
			b.notice(func(*group) bool { return true })
		}
	}
}

// treeChanged hears of a change below a watched folder; without a path some are missing.
func (b *Binaries) treeChanged(top, path string) {
	if path == "" || !b.opts.Exclude(path) {
		b.notice(func(g *group) bool { return slices.Contains(g.tops, top) })
	}
}

func (g *group) concerns(path string) bool {
	if _, ok := g.want[path]; ok {
		return true
	}
	n, ok := g.want[filepath.Dir(path)]
	return ok && n.match(filepath.Base(path))
}

// notice puts off the look at the groups that a write may have changed until it is quiet.
func (b *Binaries) notice(concerned func(*group) bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, g := range b.groups {
		if concerned(g) {
			g.noticed = time.Now()
			if !g.hurry {
				g.due = g.noticed.Add(g.Quiet)
			}
			signal(b.wake)
		}
	}
}

// tend looks at groups when they are due, one after the other, and polls.
func (b *Binaries) tend(ctx context.Context) {
	timer := time.NewTimer(time.Hour)
	defer timer.Stop()
	poll := time.Now().Add(b.opts.Poll)
	for ctx.Err() == nil {
		b.coverFolders()
		g, next := b.nextDue()
		if g != nil {
			b.look(ctx, g)
			continue
		}
		if !time.Now().Before(poll) {
			poll = time.Now().Add(b.pollAll())
			continue
		}
		if next.IsZero() || poll.Before(next) {
			next = poll
		}
		if b.idle() {
			next = time.Now().Add(time.Hour)
		}
		timer.Reset(time.Until(next))
		select {
		case <-ctx.Done():
		case <-b.wake:
		case <-timer.C:
		}
	}
}

func (b *Binaries) idle() bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return len(b.groups) == 0
}

// nextDue returns a group to look at now, or when the next one is due.
func (b *Binaries) nextDue() (now *group, next time.Time) {
	b.mu.Lock()
	defer b.mu.Unlock()
	at := time.Now()
	for _, name := range slices.Sorted(maps.Keys(b.groups)) {
		g := b.groups[name]
		switch {
		case g.due.IsZero():
		case !at.Before(g.due):
			g.due, g.looking = time.Time{}, true
			g.rushed, g.hurry = g.hurry, false
			return g, time.Time{}
		case next.IsZero() || g.due.Before(next):
			next = g.due
		}
	}
	return nil, next
}

// pollAll compares stamps, not contents, and returns the time until the next poll.
func (b *Binaries) pollAll() time.Duration {
	begin := time.Now()
	b.mu.Lock()
	b.cover = true
	groups := slices.Collect(maps.Values(b.groups))
	b.mu.Unlock()
	for _, g := range groups {
		l, err := list(g.Paths, b.opts.Exclude)
		b.mu.Lock()
		if err == nil && g.due.IsZero() && (!l.equal(g.seen) || b.freshLocked(l)) {
			g.noticed = time.Now()
			g.due = g.noticed.Add(g.Quiet)
		}
		if err != nil && g.due.IsZero() && g.content.Problem == nil || err == nil && g.content.Problem != nil && g.due.IsZero() {
			g.due = time.Now().Add(g.Quiet)
		}
		b.mu.Unlock()
	}
	every := b.opts.Poll
	if b.fs == nil || b.trouble != nil {
		every = min(every, binariesTroublePoll)
	}
	return max(every, time.Since(begin)*pollShare)
}

func (b *Binaries) freshLocked(l *listing) bool {
	for path := range l.files {
		if h, ok := b.hashes[path]; ok && h.fresh {
			return true
		}
	}
	return false
}

// sum identifies the contents of a group.
func sum(files map[string]string, missing []string) string {
	h := sha256.New()
	for _, path := range slices.Sorted(maps.Keys(files)) {
		fmt.Fprintf(h, "%s\x00%s\n", path, files[path])
	}
	for _, path := range missing {
		fmt.Fprintf(h, "%s\x00\n", path)
	}
	return hex.EncodeToString(h.Sum(nil))
}
