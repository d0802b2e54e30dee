package spec

import (
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
)

// stepNames are the steps beside signals, in the words of the spec.
var stepNames = []string{"ctrl_c", "ctrl_break", "close", "stdin_close"}

// signalNames are the signals that a step may send on Unix.
var signalNames = []string{
	"SIGHUP", "SIGINT", "SIGQUIT", "SIGABRT", "SIGKILL", "SIGUSR1", "SIGUSR2", "SIGPIPE", "SIGALRM", "SIGTERM", "SIGCONT",
	"SIGSTOP", "SIGTSTP", "SIGTTIN", "SIGTTOU", "SIGURG", "SIGXCPU", "SIGXFSZ", "SIGVTALRM", "SIGPROF", "SIGWINCH", "SIGIO", "SIGSYS", "SIGTRAP",
}

// stepOnUnix and stepOnWindows translate the names of the other system.
var (
	stepOnUnix    = map[string]string{"ctrl_c": "SIGINT", "ctrl_break": "SIGQUIT", "close": "SIGTERM", "stdin_close": "stdin_close"}
	stepOnWindows = map[string]string{
		"SIGINT": "ctrl_c", "SIGTERM": "ctrl_c", "SIGQUIT": "ctrl_break", "SIGBREAK": "ctrl_break", "SIGHUP": "close",
		"ctrl_c": "ctrl_c", "ctrl_break": "ctrl_break", "close": "close", "stdin_close": "stdin_close",
	}
)

// StepFor translates the name of a stop step or signal to the platform's own: SIGTERM, TERM, ctrl_c, ctrl-break.
func StepFor(name string, windows bool) (string, error) {
	folded := strings.ToLower(strings.ReplaceAll(name, "-", "_"))
	if folded == "wm_close" {
		folded = "close"
	}
	if !slices.Contains(stepNames, folded) {
		folded = strings.ToUpper(folded)
		if !strings.HasPrefix(folded, "SIG") {
			folded = "SIG" + folded
		}
		if !slices.Contains(signalNames, folded) && folded != "SIGBREAK" {
			hint := ""
			if near := nearest(name, append(slices.Clone(stepNames), signalNames...)); near != "" {
				hint = fmt.Sprintf("did you mean %s?", near)
			}
			return "", words(hint, "%s is neither a step (%s) nor a signal", quote(name), strings.Join(stepNames, ", "))
		}
	}
	own, ok := stepOnUnix[folded], false
	if windows {
		if own, ok = stepOnWindows[folded]; !ok {
			hint := "use ctrl_c, ctrl_break, close, stdin_close or an action"
			if folded == "SIGKILL" {
				hint = "the whole tree is killed after stop.timeout anyway"
			}
			return "", words(hint, "%s has no counterpart on Windows", quote(name))
		}
		return own, nil
	}
	switch {
	case own != "":
		return own, nil
	case folded == "SIGBREAK":
		return "SIGQUIT", nil
	}
	return folded, nil
}

// steps decodes the stop ladder; nil when nothing of it can be used.
func (d *decoder) steps(n *node) []Step {
	items := n.items
	if n.kind == scalarNode || n.kind == mapNode {
		items = []*node{n}
	}
	if len(items) == 0 {
		d.fail(n, words("leave it out for the default", "needs at least one step"))
		return nil
	}
	out := make([]Step, 0, len(items))
	for i, item := range items {
		d.push(strconv.Itoa(i))
		if s, ok := d.step(item); ok {
			out = append(out, s)
		}
		d.pop()
	}
	return out
}

func (d *decoder) step(n *node) (Step, bool) {
	switch n.kind {
	case scalarNode:
		s, ok := d.text(n)
		if !ok {
			return Step{}, false
		}
		do, err := StepFor(s, d.l.paths.windows)
		if err != nil {
			d.fail(n, err)
			return Step{}, false
		}
		return Step{Do: do}, true
	case mapNode:
	default:
		d.problem(n, "must be the name of a step, NAME: 5s or an action, found %s", n.describe())
		return Step{}, false
	}
	if exec, _ := n.get("exec"); exec != nil {
		return d.actionStep(n)
	}
	if http, _ := n.get("http"); http != nil {
		return d.actionStep(n)
	}
	if len(n.pairs) != 1 {
		d.fail(n, words("put each step into a list element of its own", "must have one key, found %d", len(n.pairs)))
		return Step{}, false
	}
	p := n.pairs[0]
	d.push(p.key.value)
	defer d.pop()
	do, err := StepFor(p.key.value, d.l.paths.windows)
	if err != nil {
		d.fail(p.key, err)
		return Step{}, false
	}
	step := Step{Do: do}
	if p.val.kind != nullNode {
		var ok bool
		if step.Timeout, ok = d.duration(p.val); !ok {
			return Step{}, false
		}
	}
	return step, true
}

func (d *decoder) duration(n *node) (time.Duration, bool) {
	s, ok := d.text(n)
	if !ok {
		return 0, false
	}
	v, err := ParseDuration(s)
	if err != nil {
		d.fail(n, err)
		return 0, false
	}
	return v, true
}

func (d *decoder) actionStep(n *node) (Step, bool) {
	a, ok := d.action(n)
	if !ok {
		return Step{}, false
	}
	step := Step{Do: "action", Action: a}
	if timeout, _ := n.get("timeout"); timeout != nil && timeout.kind != nullNode {
		step.Timeout = a.Timeout
	}
	return step, true
}

// actionKeys are the keys of an action, in the order of the reference.
var actionKeys = []string{"exec", "http", "timeout", "ignore_failure"}

// action decodes {exec: [...], timeout: 30s, ignore_failure: false} or {http: "POST http://…"}.
func (d *decoder) action(n *node) (*Action, bool) {
	a := &Action{Timeout: defaultActionTimeout}
	ok := true
	for _, p := range n.pairs {
		d.push(p.key.value)
		good := true
		if p.val.kind == nullNode {
			d.pop()
			continue
		}
		switch name := p.key.value; name {
		case "exec":
			a.Exec = d.argv(p.val)
			good = a.Exec != nil
		case "http":
			a.HTTP, good = d.httpRequest(p.val)
		case "timeout":
			if a.Timeout, good = d.duration(p.val); good && a.Timeout == 0 {
				d.problem(p.val, "must be more than 0")
				good = false
			}
		case "ignore_failure":
			var s string
			if s, good = d.text(p.val); good {
				v, err := parseBool(s)
				if err != nil {
					d.fail(p.val, err)
					good = false
				}
				a.IgnoreFailure = v
			}
		default:
			if !strings.HasPrefix(name, "x-") {
				d.l.problemAt(p.key, strings.Join(d.path, "."), "unknown key", keyHint(name, actionKeys, nil, nil))
				good = false
			}
		}
		ok = ok && good
		d.pop()
	}
	switch {
	case !ok:
	case a.Exec != nil && a.HTTP != "":
		d.problem(n, "has both exec and http; an action does one thing")
		return a, false
	case a.Exec == nil && a.HTTP == "":
		d.problem(n, "needs exec or http")
		return a, false
	}
	return a, ok
}

// httpMethods are those an action may use.
var httpMethods = []string{"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"}

func (d *decoder) httpRequest(n *node) (string, bool) {
	s, ok := d.text(n)
	if !ok {
		return "", false
	}
	const hint = `write it as "POST http://127.0.0.1:8080/stop"`
	method, address, two := strings.Cut(strings.TrimSpace(s), " ")
	if !two {
		d.fail(n, words(hint, "%s lacks the method or the address", quote(s)))
		return "", false
	}
	method, address = strings.ToUpper(method), strings.TrimSpace(address)
	if !slices.Contains(httpMethods, method) {
		d.fail(n, words(hint, "%s is not one of %s", quote(method), strings.Join(httpMethods, ", ")))
		return "", false
	}
	u, err := url.Parse(strings.ReplaceAll(address, AutoPort, "1"))
	if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
		d.fail(n, words(hint, "%s is not an http or https address", quote(strings.ReplaceAll(address, AutoPort, "${PORT}"))))
		return "", false
	}
	return method + " " + address, true
}
