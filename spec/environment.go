package spec

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// Limits of one env file.
const (
	maxEnvFileSize    = 1 << 20
	maxEnvFileEntries = 5000
)

// environment merges, the later over the earlier: env of the file, defaults.env, env_file, env.
func (f *finisher) environment() {
	dr, l := f.dr, f.d.l
	contents := make([]*envFileContent, 0, len(dr.envFiles))
	size := len(dr.envBase) + len(dr.envDefaults) + len(dr.envOwn)
	for _, ref := range dr.envFiles {
		if content := l.readEnvFile(ref, f); content != nil {
			contents = append(contents, content)
			size += len(content.env)
		}
	}
	if size == 0 {
		return
	}
	m := newEnvMerger(size, l.paths.windows)
	m.lay(dr.envBase)
	m.lay(dr.envDefaults)
	fromFile := map[string]bool{}
	for _, content := range contents {
		m.lay(content.env)
		for name := range content.env {
			fromFile[name] = true
		}
	}
	m.lay(dr.envOwn)
	maps.DeleteFunc(fromFile, func(name string, _ bool) bool {
		_, own := dr.envOwn[name]
		_, there := m.env[name]
		return own || !there
	})
	if len(fromFile) > 0 {
		f.s.EnvFromFile = fromFile
	}
	f.s.Env = m.env
	for _, name := range slices.Sorted(maps.Keys(dr.envOwn)) {
		own := ownVariable(name) || name == "HOST_RUN" || name == "PORT" && f.s.Port != 0
		f.warn("env", own, name+" is set by the host itself; this value is not used", "")
	}
}

// envFileContent is what an env file sets.
type envFileContent struct {
	env  map[string]*string
	loud bool // something was said of it
}

// readEnvFile returns nil when there is nothing to use; what is wrong is reported.
func (l *loader) readEnvFile(ref envFileRef, f *finisher) *envFileContent {
	_, path := f.place("env_file")
	local, ok := l.paths.local(ref.at.src.dir, ref.name)
	if !ok {
		l.warnAt(ref.at, path, quote(ref.name)+" is a path of another machine; it was not looked at", "")
		return nil
	}
	e := f.sd.entry
	if !slices.Contains(e.files, local) {
		e.files = append(e.files, local)
	}
	if content := l.envFiles[local]; content != nil {
		e.loud = e.loud || content.loud
		return content
	}
	name := shownName(ref.at.src, strings.ReplaceAll(ref.name, `\`, "/"), local)
	text, err := l.readFile(local)
	if err != nil {
		missing := err.Error() == missingFile
		if f.d.foreign || missing && ref.optional {
			return nil
		}
		if e, ok := err.(*encodingError); ok {
			l.report(fileProblem(name, e))
			return nil
		}
		hint := ""
		if missing {
			hint = optionalHint
		}
		l.problemAt(ref.at, path, quote(ref.name)+" "+err.Error(), hint)
		return nil
	}
	content := &envFileContent{}
	l.envFiles[local] = content
	if len(text) > maxEnvFileSize {
		l.report(Problem{File: name, Message: fmt.Sprintf("has more than %d KiB", maxEnvFileSize>>10)})
		return content
	}
	entries, problems := parseEnvFile(text)
	for _, p := range problems {
		l.report(Problem{File: name, Line: p.line, Message: p.message, Hint: p.hint})
	}
	if len(entries) > maxEnvFileEntries {
		l.report(Problem{File: name, Message: fmt.Sprintf("has more than %d variables", maxEnvFileEntries)})
		return content
	}
	m := newEnvMerger(len(entries), l.paths.windows)
	first := make(map[string]int, len(entries))
	for i := range entries {
		e := &entries[i]
		if line, twice := first[e.name]; twice {
			content.loud = true
			l.warnings = append(l.warnings, Problem{File: name, Line: e.line, Message: fmt.Sprintf("%s is given twice; the first is in line %d, the last is used", quote(e.name), line)})
		} else {
			first[e.name] = e.line
		}
		value := strings.Clone(e.value) // the file itself need not stay in memory
		m.set(strings.Clone(e.name), &value)
	}
	content.env = m.env
	return content
}
