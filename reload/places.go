package reload

import (
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"servicehost/spec"
)

// places is where a change of the inputs would show: in which real folders, under which names. Links
// are followed one by one and the folder of each is watched, so that a swap of any of them is seen;
// where a path ends in nothing, the last folder that exists is watched for the next name.
type places struct {
	folders map[string]*namesOf
	files   map[string]bool // the inputs, and what the patterns match
	real    map[string]string
}

// namesOf are the names in one folder that count, in lower case: more may match than should, since
// what counts in the end is content.
type namesOf struct {
	exact    map[string]bool
	patterns []string
}

func (n *namesOf) match(name string) bool {
	lower := strings.ToLower(name)
	return n.exact[lower] || strings.Contains(name, "~") || // a short name of Windows
		slices.ContainsFunc(n.patterns, func(p string) bool { return matches(p, name) })
}

func matches(pattern, name string) bool {
	if strings.HasPrefix(name, ".") && !strings.HasPrefix(pattern, ".") {
		return false
	}
	if ok, _ := filepath.Match(pattern, name); ok {
		return true
	}
	ok, _ := filepath.Match(strings.ToLower(pattern), strings.ToLower(name))
	return ok
}

// maxLinks ends a ring of links.
const maxLinks = 40

// findPlaces looks at the file system as it is now.
func findPlaces(inputs []spec.Input) *places {
	p := &places{folders: map[string]*namesOf{}, files: map[string]bool{}, real: map[string]string{}}
	for _, in := range inputs {
		if !in.Glob {
			p.files[in.Path] = true
		}
		if in.Glob {
			root, rest := splitPath(in.Path)
			p.walk(root, root, rest, true, maxLinks)
			continue
		}
		dir, name := filepath.Split(in.Path)
		if real, ok := p.folder(dir); ok && name != "" {
			p.walk(real, dir, []step{{name: name}}, false, maxLinks)
		}
	}
	for dir := range p.folders {
		for _, extra := range foldersAbove(dir) {
			p.names(extra).exact[strings.ToLower(filepath.Base(dir))] = true
		}
	}
	return p
}

// folder finds the real folder behind a path and reports whether it is there. Many files lie in one
// folder: the way to it is walked once.
func (p *places) folder(dir string) (string, bool) {
	real, known := p.real[dir]
	if !known {
		root, rest := splitPath(dir)
		// The name that ends the list is no name: it keeps the folder from being taken for the file.
		real, _ = p.walk(root, root, append(rest, step{}), false, maxLinks)
		p.real[dir] = real
	}
	return real, real != ""
}

func (p *places) names(dir string) *namesOf {
	n := p.folders[dir]
	if n == nil {
		n = &namesOf{exact: map[string]bool{}}
		p.folders[dir] = n
	}
	return n
}

// step is one name of a path; one that comes from the target of a link is not what a user calls it.
type step struct {
	name   string
	linked bool
}

// walk follows rest from the folder real, which a user calls shown. It returns the folder in which an
// empty name stands, where rest holds one and the way to it exists.
func (p *places) walk(real, shown string, rest []step, glob bool, links int) (folder string, ok bool) {
	for i, s := range rest {
		if s.name == "" {
			return real, true
		}
		if s.name == ".." {
			real = filepath.Dir(real)
			continue
		}
		path, last := filepath.Join(real, s.name), i == len(rest)-1
		fi, err := os.Lstat(path)
		if glob && err != nil && strings.ContainsAny(s.name, "*?[") {
			p.branch(real, shown, s.name, rest[i+1:], links)
			return "", false
		}
		link := err == nil && fi.Mode()&(fs.ModeSymlink|fs.ModeIrregular) != 0
		if err != nil || last || link {
			p.names(real).exact[strings.ToLower(s.name)] = true
		}
		if err != nil {
			return "", false
		}
		if !s.linked {
			shown = filepath.Join(shown, s.name)
		}
		if link {
			if target, err := os.Readlink(path); err == nil {
				if links--; links < 0 {
					return "", false
				}
				root, to := real, split(target)
				if filepath.IsAbs(target) {
					root, to = splitPath(target)
				}
				for k := range to {
					to[k].linked = true
				}
				return p.walk(root, shown, append(to, rest[i+1:]...), glob, links)
			}
		}
		if last && glob && !fi.IsDir() {
			p.files[shown] = true
		}
		real = path
	}
	return "", false
}

// branch follows all that a pattern matches in one folder.
func (p *places) branch(real, shown, pattern string, rest []step, links int) {
	n := p.names(real)
	if !slices.Contains(n.patterns, pattern) {
		n.patterns = append(n.patterns, pattern)
	}
	entries, err := os.ReadDir(real)
	if err != nil {
		return
	}
	for _, e := range entries {
		if matches(pattern, e.Name()) {
			p.walk(real, shown, append([]step{{name: e.Name()}}, rest...), true, links)
		}
	}
}

// splitPath cuts an absolute path into its root and the steps behind it. ".." is kept: behind a link
// it means something else than what filepath.Clean makes of it.
func splitPath(path string) (root string, steps []step) {
	vol := filepath.VolumeName(path)
	return vol + string(filepath.Separator), split(path[len(vol):])
}

func split(path string) []step {
	var steps []step
	for name := range strings.FieldsFuncSeq(path, func(c rune) bool { return c < 0x80 && os.IsPathSeparator(uint8(c)) }) {
		if name != "." {
			steps = append(steps, step{name: name})
		}
	}
	return steps
}
