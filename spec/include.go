package spec

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

const maxIncludeDepth = 16

// including collects what the includes of one main file give.
type including struct {
	l        *loader
	loaded   map[string]bool // by real path
	stack    []*source       // the files being read
	services []pair
	at       map[string]*node // key of each service
	vars     []pair
	varsAt   map[string]*node
}

// withIncludes returns a main file's tree with the services and vars of its includes in it.
func (l *loader) withIncludes(root *node) *node {
	include, _ := root.get("include")
	if include == nil || include.kind == nullNode {
		return root
	}
	in := &including{l: l, loaded: map[string]bool{realPath(root.src.path): true}, stack: []*source{root.src},
		at: map[string]*node{}, varsAt: map[string]*node{}}
	services, _ := root.get("services")
	if services != nil && services.kind == mapNode {
		in.addServices(services)
	}
	in.follow(root, 1)
	out := *root
	out.pairs = slices.DeleteFunc(slices.Clone(root.pairs), func(p pair) bool {
		return p.key.value == "include" || p.key.value == "services" && p.val.kind != nullNode && p.val.kind == mapNode || p.key.value == "vars" && p.val.kind == mapNode
	})
	if services == nil || services.kind == mapNode {
		if at := firstNode(services, include); len(in.services) > 0 || services != nil || len(in.loaded) > 1 {
			out.pairs = append(out.pairs, pair{named(at, "services"), wrap(at, in.services...)})
		}
	}
	vars, _ := root.get("vars")
	all := wrap(firstNode(vars, include), in.vars...)
	if vars != nil && vars.kind == mapNode {
		all = mergeNodes(all, vars, 0, false)
	}
	out.pairs = append(out.pairs, pair{named(all, "vars"), all})
	return &out
}

// firstNode returns a, or b where there is no a.
func firstNode(a, b *node) *node {
	if a != nil {
		return a
	}
	return b
}

func named(at *node, name string) *node {
	n := *at
	n.kind, n.value, n.pairs, n.items = scalarNode, name, nil, nil
	return &n
}

func realPath(path string) string {
	if real, err := filepath.EvalSymlinks(path); err == nil {
		return real
	}
	return path
}

func (in *including) addServices(services *node) {
	for _, p := range services.pairs {
		name := p.key.value
		if first := in.at[name]; first != nil {
			in.l.problemAt(p.key, "services."+name, fmt.Sprintf("is there already, in %s:%d", first.src.name, first.line), "each service stands in one file")
			continue
		}
		in.at[name] = p.key
		in.services = append(in.services, p)
	}
}

func (in *including) addVars(vars *node) {
	for _, p := range vars.pairs {
		name := p.key.value
		if first := in.varsAt[name]; first != nil {
			in.l.problemAt(p.key, "vars."+name, fmt.Sprintf("is there already, in %s:%d", first.src.name, first.line), "set it in the main file, whose vars win")
			continue
		}
		in.varsAt[name] = p.key
		in.vars = append(in.vars, p)
	}
}

// follow reads what one file includes.
func (in *including) follow(root *node, depth int) {
	include, _ := root.get("include")
	if include == nil || include.kind == nullNode {
		return
	}
	items := include.items
	if include.kind == scalarNode {
		items = []*node{include}
	} else if include.kind != listNode {
		in.l.problemAt(include, "include", "must be a list of file names, found "+include.describe(), "")
		return
	}
	if len(items) > maxFiles {
		in.l.problemAt(include, "include", fmt.Sprintf("has more than %d elements", maxFiles), "use a pattern")
		return
	}
	for i, item := range items {
		path := "include." + strconv.Itoa(i)
		d := &decoder{l: in.l, scope: &scope{l: in.l}, path: []string{path}}
		if item.kind == nullNode {
			d.problem(item, "is empty")
			continue
		}
		name, ok := d.text(optionalName(item))
		if !ok {
			continue
		}
		name, optional := strings.CutPrefix(name, "?")
		if err := checkPath(strings.NewReplacer("*", "", "?", "", "[", "", "]", "").Replace(name), in.l.paths); err != nil {
			d.fail(item, err)
			continue
		}
		if depth > maxIncludeDepth {
			d.problem(item, "files include each other more than %d deep", maxIncludeDepth)
			return
		}
		local, ok := in.l.paths.local(root.src.dir, name)
		if !ok {
			in.l.warnAt(item, path, quote(name)+" is a path of another machine; it was not looked at", "")
			continue
		}
		if !strings.ContainsAny(name, "*?[") {
			in.file(d, item, name, shownName(root.src, name, local), local, optional, false, depth)
			continue
		}
		base, pattern := "", local
		if rel, err := filepath.Rel(root.src.dir, local); err == nil && !filepath.IsAbs(name) {
			base, pattern = root.src.dir, rel // the folder may hold characters of a pattern
		}
		matches, err := glob(base, pattern, maxGlobbed)
		if errors.Is(err, errManyMatches) {
			d.fail(item, words("name a nearer folder", "%s looks through %v", quote(name), err))
			continue
		}
		in.l.addInput(Input{Path: local, Glob: true})
		if err != nil {
			d.problem(item, "%s is not a pattern: %v", quote(name), err)
			continue
		}
		for _, m := range matches {
			shown := shownName(root.src, m, m)
			in.file(d, item, shown, shown, m, optional, true, depth)
		}
	}
}

// optionalName takes ?NAME in a list in brackets for what it looks like: YAML reads it as a mapping with one key.
func optionalName(n *node) *node {
	if n.kind != mapNode || len(n.pairs) != 1 || n.pairs[0].val.kind != nullNode {
		return n
	}
	key := n.pairs[0].key
	line := n.src.line(int(n.line))
	if len(line) > maxOptionalLine || key.line != n.line || key.column != n.column+1 {
		return n
	}
	if r := []rune(line); int(n.column) > len(r) || r[n.column-1] != '?' {
		return n
	}
	name := *key
	name.value, name.column = "?"+key.value, n.column
	return &name
}

// maxOptionalLine bounds the lines that are looked through for one character.
const maxOptionalLine = 4096

// shownName is the name of an included file for problems, relative where the including file's is.
func shownName(from *source, name, local string) string {
	if filepath.IsAbs(from.name) || filepath.IsAbs(name) && !strings.HasPrefix(local, from.dir+string(filepath.Separator)) {
		return local
	}
	rel, err := filepath.Rel(from.dir, local)
	if err != nil {
		return local
	}
	return filepath.Join(filepath.Dir(from.name), rel)
}

// file reads one included file; said is its name in the include, name the one for problems.
func (in *including) file(d *decoder, item *node, said, name, path string, optional, matched bool, depth int) {
	real := realPath(path)
	for _, open := range in.stack {
		if realPath(open.path) != real {
			continue
		}
		if !matched {
			d.problem(item, "files include each other: %s", in.chain(open, name))
		}
		return // a pattern may match the file that says it
	}
	if in.loaded[real] {
		return
	}
	if len(in.loaded) >= maxFiles {
		d.problem(item, "more than %d files are included", maxFiles)
		return
	}
	in.loaded[real] = true
	if optional {
		if _, err := os.Stat(path); os.IsNotExist(err) {
			in.l.addInput(Input{Path: path})
			return
		}
	}
	src, err := in.l.open(name, path)
	if err != nil {
		if e, ok := err.(*encodingError); ok {
			in.l.report(fileProblem(name, e))
			return
		}
		hint := ""
		if err.Error() == missingFile {
			hint = optionalHint
		}
		in.l.problemAt(item, strings.Join(d.path, "."), fmt.Sprintf("%s %v", quote(said), err), hint)
		return
	}
	root := in.l.parse(src)
	if root == nil {
		return
	}
	in.l.checkRoot(root, knownIncluded)
	if services, _ := root.get("services"); services != nil {
		if services.kind == mapNode {
			in.addServices(services)
		} else {
			in.l.problemAt(services, "services", "must be a mapping of names, found "+services.describe(), "write services: {} if there are none")
		}
	}
	if vars, _ := root.get("vars"); vars != nil && vars.kind == mapNode {
		in.addVars(vars)
	} else if vars != nil && vars.kind != nullNode {
		in.l.problemAt(vars, "vars", "must be a mapping, found "+vars.describe(), "")
	}
	in.stack = append(in.stack, src)
	in.follow(root, depth+1)
	in.stack = in.stack[:len(in.stack)-1]
}

// chain names the files from one that is being read to the one that would be read again.
func (in *including) chain(from *source, name string) string {
	var names []string
	for _, s := range in.stack {
		if s == from || names != nil {
			names = append(names, s.name)
		}
	}
	return strings.Join(append(names, name), " → ")
}

// maxGlobbed bounds the files and folders that the parts of a pattern may match.
const maxGlobbed = 20_000

var errManyMatches = fmt.Errorf("more than %d files and folders", maxGlobbed)

// glob is filepath.Glob that takes the folders without a pattern as they are, whatever characters they
// have, and passes over folders and hidden files. It gives up when its parts match more than most.
func glob(base, pattern string, most int) ([]string, error) {
	if _, err := filepath.Match(pattern, ""); err != nil {
		return nil, errors.New("its brackets are not closed")
	}
	parts := strings.Split(pattern, string(filepath.Separator))
	first := slices.IndexFunc(parts, func(s string) bool { return strings.ContainsAny(s, "*?[") })
	dirs := []string{base + string(filepath.Separator)}
	if static := strings.Join(parts[:first], string(filepath.Separator)); base == "" {
		dirs[0] = static + string(filepath.Separator)
	} else {
		dirs[0] = filepath.Join(base, static)
	}
	matched := 0
	for i, part := range parts[first:] {
		last := first+i == len(parts)-1
		var next []string
		for _, dir := range dirs {
			entries, err := os.ReadDir(dir)
			if err != nil {
				continue // as an empty folder
			}
			for _, e := range entries {
				if ok, _ := filepath.Match(foldName(part), foldName(e.Name())); !ok || e.Name()[0] == '.' && part[0] != '.' {
					continue
				}
				if matched++; matched > most {
					return nil, errManyMatches
				}
				path := filepath.Join(dir, e.Name())
				info, err := os.Stat(path)
				if err == nil && info.IsDir() == !last {
					next = append(next, path)
				}
			}
		}
		dirs = next
	}
	slices.Sort(dirs)
	return dirs, nil
}
