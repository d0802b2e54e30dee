package spec

import (
	"fmt"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"
)

// finisher completes one instance: what depends on several keys, and the checks of one service alone.
type finisher struct {
	sd  *serviceDecoder
	d   *decoder
	dr  *draft
	s   *Service
	key *node
	// text is how many bytes the arguments and the environment have.
	text int
}

// finish reports what is wrong; sound tells that the keys by themselves are all right.
func (f *finisher) finish(sound bool) {
	f.restart()
	f.command(sound)
	f.environment()
	f.size()
	s, windows := f.s, f.d.l.paths.windows
	if s.Dir == "" {
		s.Dir = f.d.l.dir
	}
	if windows {
		f.refuse("user", s.User != "", "not supported yet on Windows", "")
		f.refuse("group", s.Group != "", "is for Unix; Windows knows only user", "")
	} else {
		f.refuse("raw_args", s.RawArgs != "", "is for Windows; elsewhere there is no command line, only arguments", "use args")
	}
	f.stop()
	if p := s.Log.Path; p != "" && s.Log.Stderr != "" && f.d.l.paths.key(p) == f.d.l.paths.key(s.Log.Stderr) {
		f.refuse("log.stderr", true, "is the same file as log.path", "leave it out: then both share one pipe and keep their order")
	}
}

// place returns where a key was set and its path, or the name of the service when nothing set it.
func (f *finisher) place(path string) (*node, string) {
	n, from := f.dr.where(path)
	switch {
	case n == nil:
		return f.key, "services." + f.key.value + "." + path
	case from == layerDefaults:
		return n, "defaults." + path
	}
	return n, "services." + f.key.value + "." + path
}

func (f *finisher) refuse(path string, wrong bool, message, hint string) {
	if wrong {
		n, full := f.place(path)
		f.d.l.problemAt(n, full, message, hint)
	}
}

func (f *finisher) warn(path string, doubtful bool, message, hint string) {
	if doubtful {
		n, full := f.place(path)
		f.d.l.warnAt(n, full, message, hint)
	}
}

func (f *finisher) restart() {
	r := &f.s.Restart
	_, from := f.dr.where("restart.policy")
	if r.Policy == "" || from == layerDefaults && f.s.Type != TypeService {
		r.Policy = RestartAlways
		if f.s.Type == TypeOneshot {
			r.Policy = RestartNo
		}
	}
	if r.MaxDelay < r.Delay {
		if n, _ := f.dr.where("restart.max_delay"); n == nil {
			r.MaxDelay = r.Delay
		} else {
			f.refuse("restart.max_delay", true, "is less than restart.delay", "")
		}
	}
	f.refuse("restart.window", r.Limit > 0 && r.Window == 0, "must be more than 0 while restart.limit is", "limit: 0 turns the limit off")
	f.warn("restart.policy", f.s.Type == TypeOneshot && r.Policy == RestartAlways, "a oneshot with this policy is run again and again",
		"use type: service, or on-failure")
}

func (f *finisher) command(sound bool) {
	dr, s, style := f.dr, f.s, f.d.l.paths
	at, _ := dr.where("command")
	switch {
	case at == nil || at.kind == nullNode:
		f.d.l.problemAt(f.key, "services."+f.key.value, "the command is missing", "")
		return
	case len(dr.command) == 0 || dr.command[0] == "":
		f.refuse("command", sound && !f.d.foreign, "is empty", "")
		return
	}
	s.Command = slices.Concat(dr.command, dr.args)
	program := s.Command[0]
	f.refuse("command", strings.ContainsAny(program, "\n\r\t"), "the program "+quote(program)+" holds a control character", "a Windows path belongs into single quotes")
	switch {
	case style.isAbs(program):
	case style.hasSeparator(program):
		s.CommandDir = dr.commandDir
	default:
		s.CommandDir = f.d.l.dir
	}
}

// size refuses arguments and variables that no system would take.
func (f *finisher) size() {
	total := 0
	for _, arg := range f.s.Command {
		total += len(arg) + 1
	}
	for name, value := range f.s.Env {
		total += len(name) + 2
		if value != nil {
			total += len(*value)
		}
	}
	for _, step := range f.s.Stop.Steps {
		if step.Action != nil {
			for _, arg := range step.Action.Exec {
				total += len(arg) + 1
			}
		}
	}
	f.text = total
	f.refuse("command", total > maxServiceText, fmt.Sprintf("the arguments and the environment have more than %d KiB", maxServiceText>>10), "")
}

// environment merges, the later over the earlier: env of the file, defaults.env, env_file, env.
func (f *finisher) environment() {
	dr, l := f.dr, f.d.l
	windows := l.paths.windows
	env := make(map[string]*string, len(dr.envBase)+len(dr.envDefaults)+len(dr.envOwn))
	mergeEnv(env, dr.envBase, windows)
	mergeEnv(env, dr.envDefaults, windows)
	for _, ref := range dr.envFiles {
		content := l.readEnvFile(ref, f)
		if content == nil {
			continue
		}
		for _, e := range content.entries {
			mergeEnv(env, map[string]*string{e.name: &e.value}, windows)
			if f.s.EnvFromFile == nil {
				f.s.EnvFromFile = map[string]bool{}
			}
			f.s.EnvFromFile[e.name] = true
		}
	}
	mergeEnv(env, dr.envOwn, windows)
	for name := range dr.envOwn {
		delete(f.s.EnvFromFile, name)
	}
	for name := range f.s.EnvFromFile {
		if _, ok := env[name]; !ok {
			delete(f.s.EnvFromFile, name)
		}
	}
	if len(f.s.EnvFromFile) == 0 {
		f.s.EnvFromFile = nil
	}
	if len(env) > 0 {
		f.s.Env = env
	}
	for name := range dr.envOwn {
		own := ownVariable(name) || name == "HOST_RUN" || name == "PORT" && f.s.Port != 0
		f.warn("env", own, name+" is set by the host itself; this value is not used", "")
	}
}

// envFileContent is an env file that was read.
type envFileContent struct{ entries []envEntry }

// readEnvFile returns nil when there is nothing to use; what is wrong is reported.
func (l *loader) readEnvFile(ref envFileRef, f *finisher) *envFileContent {
	at, path := f.place("env_file")
	if ref.at != nil {
		at = ref.at
	}
	local, ok := l.paths.local(ref.at.src.dir, ref.name)
	if !ok {
		l.warnAt(at, path, quote(ref.name)+" is a path of another machine; it was not looked at", "")
		return nil
	}
	if content, done := l.envFiles[local]; done && content != nil {
		return content
	}
	text, err := l.readFile(local)
	name := ref.name
	if !filepath.IsAbs(local) || !filepath.IsAbs(name) {
		name = filepath.Join(filepath.Dir(ref.at.src.name), filepath.FromSlash(strings.ReplaceAll(name, `\`, "/")))
	}
	if err != nil {
		missing := err.Error() == "does not exist"
		if f.d.foreign || missing && ref.optional {
			return nil
		}
		if e, ok := err.(*encodingError); ok {
			l.report(fileProblem(name, e))
			return nil
		}
		hint := ""
		if missing {
			hint = `a "?" before the name makes it optional`
		}
		l.problemAt(at, path, quote(ref.name)+" "+err.Error(), hint)
		return nil
	}
	entries, problems := parseEnvFile(text)
	for _, p := range problems {
		l.report(Problem{File: name, Line: p.line, Message: p.message, Hint: p.hint})
	}
	seen := map[string]int{}
	for _, e := range entries {
		if first, twice := seen[e.name]; twice {
			l.warnings = append(l.warnings, Problem{File: name, Line: e.line, Message: quote(e.name) + " is given twice; the first is in line " + strconv.Itoa(first) + ", this one is used"})
		}
		seen[e.name] = e.line
	}
	content := &envFileContent{entries}
	l.envFiles[local] = content
	return content
}

func (f *finisher) stop() {
	s := f.s
	var sum time.Duration
	for _, step := range s.Stop.Steps {
		sum += step.Timeout
	}
	f.warn("stop.steps", sum > s.Stop.Timeout, "take "+FormatDuration(sum)+" in all, but stop.timeout ends them after "+FormatDuration(s.Stop.Timeout), "")
}
