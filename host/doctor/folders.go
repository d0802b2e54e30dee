package doctor

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"

	"servicehost/host/human"
	"servicehost/host/requires"
	"servicehost/spec"
)

// folders looks at the places that the host itself writes to.
func (e *examination) folders() {
	h := e.sp.Host
	e.place("host.state_dir", h.StateDir)
	e.place("host.logs.dir", h.Logs.Dir)
	for _, s := range e.sp.Services {
		if s.Enabled && filepath.Dir(s.Log.Path) != filepath.Clean(h.Logs.Dir) {
			e.place("services."+s.Name+".log.path", filepath.Dir(s.Log.Path))
		}
	}
}

// place looks at a folder that the host makes where it is missing.
func (e *examination) place(subject, path string) {
	if e.Status == nil { // one that runs has what it needs, perhaps as another user
		e.fillable(subject, path)
	}
	e.rights(path, "folder", true)
}

func (e *examination) fillable(subject, path string) {
	at := path
	for {
		st, err := os.Stat(at)
		switch {
		case err == nil && !st.IsDir():
			e.problem(subject, "remove it, or name another folder", "%s is not a folder", human.Path(at))
			return
		case err == nil:
			if err := requires.Fillable(at, requires.Env{}); err != nil {
				verb := "written to"
				if at != path {
					verb = "made: the one above, " + human.Path(at) + ", can't be written to"
				}
				e.problem(subject, "give the account of the host the right to write, or name another folder", "folder %s can't be %s: %s", human.Path(path), verb, reason(err))
			}
			return
		case !errors.Is(err, fs.ErrNotExist) || filepath.Dir(at) == at:
			e.problem(subject, "name another folder", "folder %s can't be looked at: %s", human.Path(path), reason(err))
			return
		}
		at = filepath.Dir(at)
	}
}

// volume looks whether the logs have the space that they may take.
func (e *examination) volume() {
	l := e.sp.Host.Logs
	free, size, err := space(l.Dir)
	if err != nil || size == 0 {
		return
	}
	minFree, total := l.MinFree, l.MaxTotal
	if minFree == spec.AutoSize {
		minFree = min(1<<30, size/20)
	}
	if total == spec.AutoSize {
		total = min(10<<30, size/10)
	}
	if free < minFree {
		e.problem("host.logs.min_free", "make space, or lower it", "the volume of %s has %s free, less than the %s that logs have to leave: rotated ones are deleted early", human.Path(l.Dir), human.Size(free), human.Size(minFree))
		return
	}
	used := usedBy(l.Dir)
	if l.MaxTotal != spec.AutoSize && total > 0 && total-used > free-minFree {
		e.warn("host.logs.max_total", "lower it, or make space", "logs may grow to %s, and the volume of %s has %s for them", human.Size(total), human.Path(l.Dir), human.Size(max(0, free-minFree)+used))
	}
}

// usedBy is what lies in a folder, without those below it.
func usedBy(dir string) (sum int64) {
	entries, _ := os.ReadDir(dir)
	for _, d := range entries {
		if info, err := d.Info(); err == nil && info.Mode().IsRegular() {
			sum += info.Size()
		}
	}
	return sum
}

// nearest is path, or the first folder above it that is there.
func nearest(path string) string {
	for {
		if _, err := os.Stat(path); err == nil || filepath.Dir(path) == path {
			return path
		}
		path = filepath.Dir(path)
	}
}
