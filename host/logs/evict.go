package logs

import (
	"cmp"
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"servicehost/host/human"
)

// reason is the key of the limit for which files were deleted.
type reason string

const (
	whyTotal reason = "host.logs.max_total"
	whyFree  reason = "host.logs.min_free"
)

// evictions are files that the budget has deleted.
type evictions struct {
	files, bytes int64
	logs         map[string]int64 // bytes by name
	why          map[reason]bool
}

func (e *evictions) add(name string, size int64, why reason) {
	if e.logs == nil {
		e.logs, e.why = make(map[string]int64), make(map[reason]bool)
	}
	e.files++
	e.bytes += size
	e.logs[name] += size
	e.why[why] = true
}

// name is what the log is called in events.
func (a *archive) name() string {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.id != "" {
		return a.id
	}
	return filepath.Base(a.path)
}

// evicted counts what was deleted.
func (s *Set) evicted(t *trimming) {
	s.mu.Lock()
	defer s.mu.Unlock()
	b := &s.budget
	b.stats.EvictedFiles += t.gone.files
	b.stats.EvictedBytes += t.gone.bytes
	b.untold.files += t.gone.files
	b.untold.bytes += t.gone.bytes
	if b.untold.logs == nil {
		b.untold.logs, b.untold.why = t.gone.logs, t.gone.why
		return
	}
	for name, n := range t.gone.logs {
		b.untold.logs[name] += n
	}
	maps.Copy(b.untold.why, t.gone.why)
}

// tellEvictions tells what was deleted since it told last, if that is long enough ago.
func (s *Set) tellEvictions(now time.Time) {
	s.mu.Lock()
	b := &s.budget
	if b.untold.files == 0 || (!b.told.IsZero() && now.Sub(b.told) < s.timing.tell) {
		s.mu.Unlock()
		return
	}
	e := b.untold
	b.untold, b.told = evictions{}, now
	s.mu.Unlock()
	s.tell(Event{Kind: EventEvicted, Bytes: e.bytes, Text: e.text()})
}

// text names those of whom most was deleted.
func (e *evictions) text() string {
	const named = 3
	names := slices.SortedFunc(maps.Keys(e.logs), func(a, b string) int {
		return cmp.Or(cmp.Compare(e.logs[b], e.logs[a]), strings.Compare(a, b))
	})
	rest := ""
	if n := len(names) - named; n > 0 {
		names, rest = names[:named], fmt.Sprintf(" and %s", human.Count(n, "other"))
	}
	for i, name := range names {
		names[i] = fmt.Sprintf("%q", name)
	}
	keys := slices.Sorted(maps.Keys(e.why))
	words := make([]string, len(keys))
	for i, k := range keys {
		words[i] = string(k)
	}
	return fmt.Sprintf("%s (%s) of %s%s deleted early, as %s wants", human.Count(int(e.files), "rotated file"), human.Size(e.bytes),
		strings.Join(names, ", "), rest, strings.Join(words, " and "))
}
