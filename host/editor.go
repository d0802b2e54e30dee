package host

import (
	"io"
	"maps"
	"os"
	"strconv"
	"sync"

	"servicehost/host/control"
	"servicehost/host/journal"
	"servicehost/host/supervisor"
	"servicehost/reload"
	"servicehost/spec"
)

// editors know who made the edits that are taken in: what came with each as details of its event.
type editors struct {
	mu   sync.Mutex
	seen []spec.Input              // of the last load
	last editor                    // of the last edit
	of   map[supervisor.Key]editor // of the edit that changed an instance last
}

// editor tells who made an edit, as details of an event; which nobody may have made. It looks at the files, and at what is
// committed, when it is asked first: an edit need not wait for that.
type editor func() map[string]string

func nobody() map[string]string { return nil }

// maxCompared bounds an input that is compared with what is committed.
const maxCompared = 4 << 20

// edited returns who made the edit that a load has brought. Without a change of the files that is nobody, or
// with again, where a former edit is taken up that was held or went back, whoever made that one.
func (e *editors) edited(inputs []spec.Input, again bool) editor {
	e.mu.Lock()
	defer e.mu.Unlock()
	changed := changedInputs(e.seen, inputs)
	first := e.seen == nil
	e.seen = inputs
	switch {
	case len(changed) > 0 && !first:
		e.last = sync.OnceValue(func() map[string]string { return whoEdited(changed) })
	case !again || e.last == nil:
		return nobody
	}
	return e.last
}

// touches notes who changed these instances. It is called before the edit is handed out.
func (e *editors) touches(changes []control.PlanChange, who editor) {
	e.mu.Lock()
	defer e.mu.Unlock()
	for _, c := range changes {
		k := supervisor.Key{Service: c.Name, Instance: c.Instance}
		switch {
		case c.Name == "" || c.Action == "keep_rolled_back":
		case c.Action == "remove":
			delete(e.of, k)
		default:
			if e.of == nil {
				e.of = map[supervisor.Key]editor{}
			}
			e.of[k] = who
		}
	}
}

// blame adds to an event of a rollback who made the edit.
func (e *editors) blame(v journal.Event) journal.Event {
	if v.Kind != journal.RolledBack {
		return v
	}
	e.mu.Lock()
	of := e.of[supervisor.Key{Service: v.Service, Instance: v.Instance}]
	e.mu.Unlock()
	if of == nil {
		return v
	}
	if who := of(); len(who) > 0 {
		d := maps.Clone(who)
		maps.Copy(d, v.Details)
		v.Details = d
	}
	return v
}

// changedInputs are the files that are not as they were, those that are gone too.
func changedInputs(before, after []spec.Input) (changed []string) {
	was := map[string]string{}
	for _, i := range before {
		if !i.Glob {
			was[i.Path] = i.Hash
		}
	}
	for _, i := range after {
		if i.Glob {
			continue
		}
		if hash, ok := was[i.Path]; !ok || hash != i.Hash {
			changed = append(changed, i.Path)
		}
		delete(was, i.Path)
	}
	for _, i := range before {
		if _, gone := was[i.Path]; gone && !i.Glob {
			changed = append(changed, i.Path)
		}
	}
	return changed
}

// whoEdited tells of the first of the changed files, and how many more there are.
func whoEdited(changed []string) map[string]string {
	file := changed[0]
	d := map[string]string{journal.DetailFile: file}
	if n := len(changed) - 1; n > 0 {
		d[journal.DetailMore] = strconv.Itoa(n)
	}
	if owner := reload.Owner(file); owner != "" {
		d[journal.DetailOwner] = owner
	}
	maps.Copy(d, commitOf(file))
	return d
}

// whoReplaced tells of the first of the watched files that hold something else now.
func whoReplaced(p reload.Plan) map[string]string {
	for _, c := range p.Changes {
		if c.Old == nil || c.New == nil || c.Old.Binary.Content == c.New.Binary.Content {
			continue
		}
		file := c.New.Command[0]
		if len(c.New.Watch.Paths) > 0 {
			file = c.New.Watch.Paths[0]
		}
		owner := reload.Owner(file)
		if owner == "" { // a name that is looked for in PATH
			return nil
		}
		return map[string]string{journal.DetailFile: file, journal.DetailOwner: owner}
	}
	return nil
}

// commitOf tells what is checked out where a file lies, and whether the file is as in that commit.
func commitOf(file string) map[string]string {
	c, ok := reload.ReadCommit(file)
	if !ok {
		return nil
	}
	d := map[string]string{journal.DetailCommit: c.Hash}
	if c.Author != "" {
		d[journal.DetailAuthor] = c.Author
	}
	if c.Subject != "" {
		d[journal.DetailSubject] = c.Subject
	}
	if content, ok := readWhole(file); ok {
		if same, known := reload.IsCommitted(file, content); known && !same {
			d[journal.DetailUncommitted] = "true"
		}
	}
	return d
}

func readWhole(file string) ([]byte, bool) {
	if fi, err := os.Stat(file); err != nil || !fi.Mode().IsRegular() || fi.Size() > maxCompared {
		return nil, false
	}
	f, err := os.Open(file)
	if err != nil {
		return nil, false
	}
	defer f.Close()
	content, err := io.ReadAll(io.LimitReader(f, maxCompared+1))
	return content, err == nil && len(content) <= maxCompared
}
