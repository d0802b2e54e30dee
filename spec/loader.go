package spec

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"reflect"
	"runtime"
	"slices"
	"strings"
)

// loader is the state of one Load.
type loader struct {
	o         Options
	platform  string
	paths     pathStyle
	lookupEnv func(string) (string, bool)
	dir       string                    // folder of the first file
	driveOf   func(letter string) drive // nil: what drives there are is unknown
	drives    map[string]drive

	problems, warnings Problems
	inputs             []Input
	read               int64 // bytes so far
	marks, expanded    int
	hintWork           int

	vars     map[string]*variable
	hostVars map[string]string
	envFiles map[string]*envFileContent
	targets  map[string]LogTarget // of the host
	notified []serviceRef         // services that notify names

	files    map[string]*fetched // read ahead
	noted    map[Input]bool      // those in inputs, without their hashes
	parts    []sourceParts
	services *serviceDecoder
	// former is what services may be taken over from, nil: none are. With doubt everything has to be loaded anew
	// without it.
	former *former
	doubt  bool
	taken  []*kept
	weight int32 // of what was taken over
}

func newLoader(o Options) *loader {
	l := &loader{o: o, platform: o.Platform, lookupEnv: o.LookupEnv, envFiles: map[string]*envFileContent{}, noted: map[Input]bool{}}
	if l.platform == "" {
		l.platform, l.driveOf = runtime.GOOS, systemDrives
	}
	l.paths.windows = l.platform == "windows"
	if l.lookupEnv == nil {
		l.lookupEnv = os.LookupEnv
	}
	return l
}

func (l *loader) report(p Problem) { l.problems = append(l.problems, p) }

func (l *loader) problemAt(n *node, path, message, hint string) {
	l.report(placed(n, path, message, hint))
}

func (l *loader) warnAt(n *node, path, message, hint string) {
	l.warnings = append(l.warnings, placed(n, path, message, hint))
}

func placed(n *node, path, message, hint string) Problem {
	p := Problem{Path: path, Message: message, Hint: hint}
	if n != nil {
		p.File, p.Line, p.Column = n.src.name, int(n.line), int(n.column)
	}
	return p
}

// maxProblems bounds what is shown of a file that is wrong all over.
const maxProblems = 1000

// tidy orders problems by place and drops what instances of one service have in common.
func tidy(ps Problems) Problems {
	files := map[string]int{}
	for _, p := range ps {
		if _, ok := files[p.File]; !ok {
			files[p.File] = len(files)
		}
	}
	slices.SortStableFunc(ps, func(a, b Problem) int {
		return cmp.Or(cmp.Compare(files[a.File], files[b.File]), cmp.Compare(a.Line, b.Line), cmp.Compare(a.Column, b.Column))
	})
	out := ps[:0]
	seen := make(map[Problem]bool, len(ps))
	for _, p := range ps {
		if !seen[p] {
			seen[p] = true
			out = append(out, p)
		}
	}
	if len(out) > maxProblems {
		more := len(out) - maxProblems
		out = append(out[:maxProblems:maxProblems], Problem{File: out[maxProblems-1].File, Message: fmt.Sprintf("%d more problems", more)})
	}
	return out
}

// knownRoot are the keys of a file; of an included one only those in knownIncluded.
var (
	knownRoot     = []string{"version", "include", "host", "vars", "env", "defaults", "services", "notify"}
	knownIncluded = []string{"version", "include", "vars", "services"}
)

// load returns nil where there is not enough for a spec.
func (l *loader) load() *Spec {
	if len(l.o.Files) == 0 {
		l.report(Problem{Message: "no file is given"})
		return nil
	}
	roots := l.readMain()
	if roots == nil {
		return nil
	}
	l.dir = roots[0].src.dir
	l.hostVars = map[string]string{"HOST_DIR": l.dir, "HOST_EXE": l.o.Exe}
	if l.o.Exe == "" {
		delete(l.hostVars, "HOST_EXE")
	}
	l.setVars(roots)
	l.hostVars["HOST_NAME"] = l.earlyName(roots)
	for i, root := range roots {
		roots[i] = l.withIncludes(root)
	}
	root := roots[0]
	if len(roots) > 1 {
		for i := range roots {
			roots[i] = expandShorthands(roots[i])
		}
		root = roots[0]
		for _, over := range roots[1:] {
			root = mergeNodes(root, over, 0, false)
		}
	}
	l.setVars([]*node{root})
	if l.doubt = l.doubt || l.former != nil && l.former.differs(l); l.doubt {
		return nil
	}

	s := &Spec{Path: roots[0].src.path, Dir: l.dir}
	l.decodeHost(root, &s.Host)
	l.hostVars["HOST_NAME"] = s.Host.Name
	if l.former != nil && l.former.host != s.Host.Name {
		l.doubt = true
		return nil
	}
	l.checkVars()
	l.decodeNotify(root, s)
	l.decodeServices(root, s)
	l.validate(root, s)
	if len(l.problems) == 0 {
		s.Hash = specHash(s, func(of []*Service) [16]byte { return l.services.entries[of[0].Name].digest })
	}
	return s
}

// readMain reads the files of the command line; nil where one can't be used at all.
func (l *loader) readMain() []*node {
	var roots []*node
	seen := map[string]bool{}
	for _, name := range l.o.Files {
		path := absolute(name)
		if seen[path] {
			l.report(Problem{File: name, Message: "is given twice"})
			continue
		}
		seen[path] = true
		src, err := l.open(name, path)
		if err != nil {
			l.report(fileProblem(name, err))
			continue
		}
		if root := l.parse(src); root != nil {
			l.checkRoot(root, knownRoot)
			roots = append(roots, root)
		}
	}
	if len(roots) < len(l.o.Files) {
		return nil
	}
	return roots
}

func (l *loader) open(name, path string) (*source, error) {
	text, err := l.readFile(path)
	if err != nil {
		return nil, err
	}
	return &source{name: name, path: path, dir: filepath.Dir(path), text: text}, nil
}

// fileProblem is the problem of a file that can't be read.
func fileProblem(name string, err error) Problem {
	p := Problem{File: name, Message: err.Error()}
	if e, ok := err.(*encodingError); ok {
		p.Line, p.Hint = e.line, e.hint
	}
	return p
}

func (l *loader) checkRoot(root *node, known []string) {
	included := len(known) == len(knownIncluded)
	for _, p := range root.pairs {
		name := p.key.value
		switch {
		case strings.HasPrefix(name, "x-") || slices.Contains(known, name):
		case included && slices.Contains(knownRoot, name):
			l.problemAt(p.key, name, "belongs into the main file; an included file has services and vars only", "")
		default:
			hint := ""
			if l.mayHint(len(known)) {
				hint = keyHint(name, known, elsewhereRoot(), nil)
			}
			if hint == "" && (serviceSection().root.children[name] != nil || elsewhere()[foldKey(name)] != "") {
				hint = "it belongs into a service: services: {NAME: {" + name + ": …}}"
			} else if hint == "" && hostSection().root.children[name] != nil {
				hint = "it belongs under host:"
			} else if hint == "" {
				hint = "keys of your own begin with x-"
			}
			l.problemAt(p.key, name, "unknown key", hint)
		}
	}
	if v, _ := root.get("version"); v != nil && v.kind != nullNode && v.value != "1" {
		l.problemAt(v, "version", "must be 1, found "+v.describe(), "a later version may need a newer host")
	}
}

// setVars takes the vars of trees, the later over the earlier.
func (l *loader) setVars(roots []*node) {
	l.vars = map[string]*variable{}
	for _, root := range roots {
		vars, _ := root.get("vars")
		if vars == nil || vars.kind == nullNode {
			continue
		}
		if vars.kind != mapNode {
			l.problemAt(vars, "vars", "must be a mapping, found "+vars.describe(), "")
			continue
		}
		for _, p := range vars.pairs {
			name := p.key.value
			path := "vars." + name
			switch {
			case strings.HasPrefix(name, "x-"):
			case !isVariableName(name):
				l.problemAt(p.key, path, quote(name)+" is not the name of a variable", "names have letters, digits and _")
			case ownVariable(name):
				l.problemAt(p.key, path, "is set by the host itself", "")
			case p.val.kind == nullNode:
				delete(l.vars, name)
			case p.val.kind != scalarNode:
				l.problemAt(p.val, path, "must be a single value, found "+p.val.describe(), "")
			default:
				d := decoder{l: l, path: []string{"vars", name}}
				if d.checkEscapes(p.val) {
					l.vars[name] = &variable{node: p.val, path: path}
				}
			}
		}
	}
}

// checkVars reports variables that refer to each other in a circle, or can't be read, also when nothing uses them.
func (l *loader) checkVars() {
	for _, name := range slices.Sorted(maps.Keys(l.vars)) {
		v := l.vars[name]
		s := &scope{l: l, own: map[string]string{"HOST_SERVICE": "x", "HOST_INSTANCE": "1", "PORT": "1"}}
		_, err := s.expand("${" + name + "}")
		if fault, ok := errors.AsType[*varsError](err); ok && fault.name == name {
			message, hint := errorWords(fault.error)
			l.problemAt(v.node, v.path, message, hint)
		}
	}
}

// earlyName is the host's name as far as it is known before the includes are read, which may use it.
func (l *loader) earlyName(roots []*node) string {
	for _, root := range slices.Backward(roots) {
		host, _ := root.get("host")
		if host == nil || host.kind != mapNode {
			continue
		}
		if n, _ := host.get("name"); n != nil && n.kind == scalarNode {
			if name, err := (&scope{l: l}).expand(n.value); err == nil && name != "" {
				return name
			}
		}
	}
	return l.defaultName()
}

// defaultName is host.name where the spec names none.
func (l *loader) defaultName() string {
	if l.o.DefaultName != "" {
		return l.o.DefaultName
	}
	return machineName()
}

func (l *loader) decodeHost(root *node, h *Host) {
	*h = defaultHost
	base := defaultHost
	n, _ := root.get("host")
	if n != nil && n.kind != nullNode {
		d := &decoder{l: l, scope: &scope{l: l}, section: hostSection(), others: elsewhereHost, path: []string{"host"}}
		d.group(n, d.section.root, reflect.ValueOf(h).Elem(), reflect.ValueOf(&base).Elem())
	}
	if h.Name == "" {
		h.Name = l.defaultName()
	}
	l.targets = h.LogTargets
	l.fillHost(h)
}
