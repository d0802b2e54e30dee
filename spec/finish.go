package spec

import (
	"fmt"
	"maps"
	"slices"
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
	s := f.s
	if s.Dir == "" {
		s.Dir = f.d.l.dir
	}
	f.identity()
	f.watched()
	f.charset()
	f.drives()
	f.stop()
	f.log()
	f.schedule()
	f.update()
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

// update checks whether two processes of the service may be there at once, where that is asked for.
func (f *finisher) update() {
	u, s := &f.s.Update, f.s
	if u.Order != StartFirst {
		return
	}
	if s.Type != TypeService {
		if _, from := f.dr.where("update.order"); from == layerDefaults {
			u.Order = StopFirst
			return
		}
		f.refuse("update.order", true, "start_first is for services that stay up, not for type "+string(s.Type), "")
		return
	}
	f.refuse("update.order", s.Port > 0 && !u.SharedPort, fmt.Sprintf("start_first runs two processes of service %s at once, which can't both listen on port %d", quote(f.key.value), s.Port),
		"port: auto gives each its own; or shared_port: true where the program opens its port with SO_REUSEPORT")
}

func (f *finisher) restart() {
	r := &f.s.Restart
	_, from := f.dr.where("restart.policy")
	if r.Policy == "" || from == layerDefaults && f.s.Type != TypeService {
		r.Policy = RestartAlways
		if f.s.Type != TypeService {
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
	f.warn("restart.policy", f.s.Type != TypeService && r.Policy == RestartAlways, "a "+string(f.s.Type)+" service with this policy is run again and again",
		"use type: service, or on-failure")
}

func (f *finisher) command(sound bool) {
	dr, s, style := f.dr, f.s, f.d.l.paths
	at, _ := dr.where("command")
	switch {
	case at == nil || at.kind == nullNode:
		if !dr.misnamed {
			f.d.l.problemAt(f.key, "services."+f.key.value, "the command is missing", "")
		}
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

func (f *finisher) log() {
	g := &f.s.Log
	if p := g.Path; p != "" && g.Stderr != "" && f.d.l.paths.key(p) == f.d.l.paths.key(g.Stderr) {
		f.refuse("log.stderr", g.Format == FormatRaw, "is the same file as log.path", "leave it out: then both share one pipe and keep their order")
	}
	f.refuse("log.max_line", g.MaxLine != 0 && (g.MaxLine < minMaxLine || g.MaxLine > maxMaxLine), "must be 64B to 1MiB", "")
	seen := map[string]bool{}
	for _, name := range g.Forward {
		_, known := f.d.l.targets[name]
		f.refuse("log.forward", !known, fmt.Sprintf("there is no target %s in host.log_targets", quote(name)), f.targetHint(name))
		f.refuse("log.forward", seen[name], fmt.Sprintf("%s is listed twice", quote(name)), "")
		seen[name] = true
	}
}

func (f *finisher) targetHint(name string) string {
	names := slices.Sorted(maps.Keys(f.d.l.targets))
	if len(names) == 0 {
		return "name it there: " + name + ": {type: loki, url: \"http://…\"}"
	}
	return "there are " + strings.Join(names, ", ")
}

// size refuses arguments and variables that no system would take.
func (f *finisher) size() {
	total := 0
	for _, arg := range f.s.Command {
		total += len(arg) + 16
	}
	for name, value := range f.s.Env {
		total += len(name) + 128 // with what the maps need
		if value != nil {
			total += len(*value)
		}
	}
	for _, step := range f.s.Stop.Steps {
		if step.Action != nil {
			for _, arg := range step.Action.Exec {
				total += len(arg) + 16
			}
		}
	}
	f.text = total
	f.refuse("command", total > maxServiceText, fmt.Sprintf("the arguments and the environment have more than %d KiB", maxServiceText>>10), "")
}

func (f *finisher) stop() {
	s := f.s
	var sum time.Duration
	for _, step := range s.Stop.Steps {
		sum += step.Timeout
	}
	f.warn("stop.steps", sum > s.Stop.Timeout, "take "+FormatDuration(sum)+" in all, but stop.timeout ends them after "+FormatDuration(s.Stop.Timeout), "")
}
