package logs

import (
	"maps"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"time"
)

// archive is the rotated files of one log. The compressor and the budget of the host take from it too: its mu
// is never held while somebody writes, so that neither waits for a write that hangs.
type archive struct {
	path   string
	left   atomic.Bool  // its writer is closed or has another path: nothing is to be compressed any more
	bytes  atomic.Int64 // in the files that are known
	oldest atomic.Int64 // files before this time (Unix milliseconds) are not kept

	mu       sync.Mutex
	id       string
	pack     form // compressed like this; 0: not
	maxFiles int
	maxAge   time.Duration
	list     []rotated
	listed   bool // list is what lies in the folder

	queued     bool // guarded by Set.mu
	packFailed bool // used by the compressor only
}

// configure reports whether there is work for a sweep now.
func (a *archive) configure(c *config) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	pack := packedForm(c.log.Compress)
	work := c.log.MaxFiles < a.maxFiles || c.log.MaxAge != a.maxAge || (pack != 0 && a.pack == 0)
	a.id, a.pack = c.id, pack
	a.maxFiles, a.maxAge = c.log.MaxFiles, c.log.MaxAge
	return work
}

// look finds once what was rotated before.
func (a *archive) look() {
	if a.listed {
		return
	}
	found, err := listRotated(a.path)
	for _, r := range found {
		a.merge(r)
	}
	a.listed = err == nil
}

// merge adds what lies in the folder, and its size.
func (a *archive) merge(r rotated) {
	if i := a.index(r.ms); i >= 0 {
		if a.list[i].form&r.form == r.form {
			return
		}
		a.bytes.Add(-a.list[i].size)
	}
	a.list = mergeRotated(a.list, rotated{ms: r.ms, form: r.form})
	i := a.index(r.ms)
	a.list[i].size = a.measure(a.list[i])
	a.bytes.Add(a.list[i].size)
}

func (a *archive) measure(r rotated) (size int64) {
	for f := range r.form.each {
		if info, err := os.Lstat(rotatedPath(a.path, r.ms, f)); err == nil && info.Mode().IsRegular() {
			size += info.Size()
		}
	}
	return size
}

// known reports whether the list is what lies in the folder.
func (a *archive) known() bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.listed
}

// next is the time for the name of a file that is rotated now: names sort as files follow each other, also
// when the clock is set back.
func (a *archive) next(now time.Time) int64 {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.look()
	ms := now.UnixMilli()
	if n := len(a.list); n > 0 {
		ms = max(ms, a.list[n-1].ms+1)
	}
	return ms
}

// add takes in a file that was just rotated, and lets go of what is too many or too old.
func (a *archive) add(r rotated, now time.Time) (compress bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.list = mergeRotated(a.list, r)
	a.bytes.Add(r.size)
	a.prune(now)
	return a.pack != 0 && len(a.list) > 0
}

// prune deletes what is too many or too old. It needs mu.
func (a *archive) prune(now time.Time) {
	excess := len(a.list) - max(0, a.maxFiles)
	kept := a.list[:0]
	for i, r := range a.list {
		tooOld := a.maxAge > 0 && now.Sub(time.UnixMilli(r.ms)) > a.maxAge
		if (i < excess || tooOld) && a.remove(r) {
			a.bytes.Add(-r.size)
			continue
		}
		kept = append(kept, r)
	}
	a.list = kept
	a.begin(now)
}

// begin notes where the list begins now. It needs mu.
func (a *archive) begin(now time.Time) {
	if len(a.list) > 0 {
		a.oldest.Store(a.list[0].ms)
	} else {
		a.oldest.Store(now.UnixMilli() + 1)
	}
}

// remove reports whether the rotated file is gone. What is no plain file isn't ours and stays, unlisted.
func (a *archive) remove(r rotated) bool {
	gone := true
	for f := range r.form.each {
		if !removeOurs(rotatedPath(a.path, r.ms, f)) {
			gone = false
		}
	}
	if gone {
		removeIndex(rotatedPath(a.path, r.ms, formPlain))
	}
	return gone
}

// removeOurs deletes a file with a name that rotatedPath made, unless it is a link or a folder, and reports
// whether nothing of ours has that name any more.
func removeOurs(path string) bool {
	if info, err := os.Lstat(path); err != nil || !info.Mode().IsRegular() {
		return true
	}
	err := os.Remove(path)
	return err == nil || os.IsNotExist(err)
}

// evict deletes the oldest file and returns its size; ok is false if there is none that can be deleted.
func (a *archive) evict(now time.Time) (size int64, ok bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	for i, r := range a.list {
		if !a.remove(r) {
			continue
		}
		a.list = append(a.list[:i], a.list[i+1:]...)
		a.bytes.Add(-r.size)
		a.begin(now)
		return r.size, true
	}
	return 0, false
}

// swept takes what a sweep found in the folder, forgets what is gone, and reports whether there is something
// to compress. It is called by the worker, so no compression of this Set is under way.
func (a *archive) swept(all found, now time.Time) (compress bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	for _, t := range all.temps {
		removeOurs(rotatedPath(a.path, t.ms, t.form)) // what can't be removed now is tried again at the next sweep
	}
	a.update(all.rotated)
	for _, ms := range all.indexes {
		if a.index(ms) < 0 { // somebody else deleted the file
			removeIndex(rotatedPath(a.path, ms, formPlain))
		}
	}
	a.prune(now)
	for _, r := range a.list {
		compress = compress || a.unpacked(r)
	}
	return compress
}

// found is swept for a log that belongs to nobody.
func (a *archive) found(list []rotated) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.update(list)
	a.begin(time.Now())
}

// update has the list be what lies in the folder. It needs mu.
func (a *archive) update(list []rotated) {
	a.forget(list)
	for _, r := range list {
		a.merge(r)
	}
	a.listed = true
}

// forget drops from the list what somebody else has deleted, which is neither in found nor in the folder.
func (a *archive) forget(found []rotated) {
	there := make(map[int64]form, len(found))
	for _, r := range found {
		there[r.ms] = r.form
	}
	kept := a.list[:0]
	for _, r := range a.list {
		if there[r.ms] != r.form {
			a.bytes.Add(-r.size)
			r.form = a.existing(r)
			if r.form == 0 {
				continue
			}
			r.size = a.measure(r)
			a.bytes.Add(r.size)
		}
		kept = append(kept, r)
	}
	a.list = kept
}

func (a *archive) existing(r rotated) (f form) {
	for x := range r.form.each {
		if _, err := os.Lstat(rotatedPath(a.path, r.ms, x)); !os.IsNotExist(err) {
			f |= x
		}
	}
	return f
}

// unpacked reports whether the compressor has work with r: where nothing is to be compressed that is what it
// left half done.
func (a *archive) unpacked(r rotated) bool {
	return r.form&formPlain != 0 && (a.pack != 0 || r.form&formPacked != 0)
}

func (a *archive) index(ms int64) int {
	for i, r := range a.list {
		if r.ms == ms {
			return i
		}
	}
	return -1
}

// straysOf are the logs in dir that belong to none of logs, but have names that rotatedPath made: those of
// services that are no longer in the spec. Files of theirs that are known stay so.
func straysOf(dir string, logs map[string]*archive, known map[string]*archive) map[string]*archive {
	names, err := namesIn(dir)
	if err != nil {
		strays := make(map[string]*archive)
		maps.Copy(strays, known)
		return strays
	}
	strays := make(map[string]*archive)
	all := make(map[string][]rotated)
	for _, name := range names {
		rotatedNames(name, func(base string, ms int64, f form) bool {
			_, current := logs[name]
			_, owned := logs[base]
			if !current && !owned {
				all[base] = mergeRotated(all[base], rotated{ms: ms, form: f})
			}
			return owned // it may be read in another way
		})
	}
	for base, list := range all {
		path := filepath.Join(dir, base)
		a := known[path]
		if a == nil {
			a = &archive{path: path, listed: true}
			a.left.Store(true)
		}
		a.found(list)
		strays[path] = a
	}
	return strays
}
