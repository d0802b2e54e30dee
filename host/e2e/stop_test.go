package e2e

import (
	"encoding/json"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"servicehost/host/control"
	"servicehost/host/journal"
)

// stopCommand is the command of a service that ends in one way only.
func (r *rig) stopCommand(way, tag string, more ...string) string {
	return r.argv(slices.Concat([]string{roleStopChild, way, tag, filepath.ToSlash(r.pids)}, more)...)
}

// argv is the test program with arguments, in YAML.
func (r *rig) argv(args ...string) string {
	b, _ := json.Marshal(append([]string{self(r.t)}, args...))
	return string(b)
}

// stopSteps are what the journal says of the stop of a service, in order: steps, warnings and the kill.
func (r *rig) stopSteps(id string) []string {
	r.t.Helper()
	var out []string
	for line := range strings.Lines(r.must(0, "events", id, "-n", "200", "-o", "json")) {
		var e journal.Event
		if err := json.Unmarshal([]byte(line), &e); err != nil {
			r.t.Fatalf("event %q: %v", line, err)
		}
		switch e.Kind {
		case journal.StopStep:
			out = append(out, "step "+e.Reason)
		case journal.Warning:
			out = append(out, "warning "+e.Reason)
		case journal.Killed:
			out = append(out, "killed "+e.Reason)
		}
	}
	return out
}

// stopCase is a service, how long its stop may take at least and at most, and the beginnings of what the
// journal has to say of it; nil where their order is open.
type stopCase struct {
	name, yaml  string
	least, most time.Duration
	steps       []string
}

// runStopCases starts them all, stops each and looks.
func (r *rig) runStopCases(cases []stopCase) {
	r.t.Helper()
	var all []string
	for _, c := range cases {
		all = append(all, c.yaml)
	}
	r.write(yaml(all...))
	r.start()
	r.allRunning()
	r.poll("all children to be up", func() bool {
		up := map[string]bool{}
		for _, tag := range r.everStarted() {
			up[tag] = true
		}
		for _, c := range cases {
			if !up[c.name] {
				return false
			}
		}
		return true
	})
	took := make([]time.Duration, len(cases))
	var wg sync.WaitGroup
	client := r.client()
	for n, c := range cases {
		wg.Go(func() {
			begin := time.Now()
			if _, err := client.Act(r.t.Context(), control.ActRequest{Verb: control.VerbStop, Names: []string{c.name}}); err != nil {
				r.t.Errorf("stop %s: %v", c.name, err)
			}
			took[n] = time.Since(begin)
		})
	}
	wg.Wait()
	for n, c := range cases {
		if v := r.untilState(c.name, "stopped"); v.PID != 0 {
			r.t.Errorf("%s is %+v", c.name, v)
		}
		for pid, tag := range r.alive() {
			if tag == c.name || strings.HasPrefix(tag, c.name+"-") {
				r.t.Errorf("%s left %s, process %d, behind", c.name, tag, pid)
			}
		}
		steps := r.stopSteps(c.name)
		ok := len(steps) == len(c.steps)
		for i := 0; ok && i < len(steps); i++ {
			ok = strings.HasPrefix(steps[i], c.steps[i])
		}
		if !ok && c.steps != nil {
			r.t.Errorf("%s: the journal has %q, want %q", c.name, steps, c.steps)
		}
		if took[n] < c.least || took[n] > c.most {
			r.t.Errorf("%s: the stop took %v, want %v to %v", c.name, took[n], c.least, c.most)
		}
		r.t.Logf("%s stopped after %v: %q", c.name, took[n], steps)
	}
}

// TestStopLadder stops programs that end in one way only, each by its own steps.
func TestStopLadder(t *testing.T) {
	r := newRig(t)
	file, second := filepath.ToSlash(filepath.Join(r.dir, "quit")), filepath.ToSlash(filepath.Join(r.dir, "quit.2"))
	step := func(way, what string) string { return r.argv(roleStopChild, way, "x", what) }
	ask := ctrlCStep
	r.runStopCases([]stopCase{
		{"asked", svc("asked", r.child("run", "asked")), 0, patience,
			[]string{"step " + defaultStep}},
		{"deaf", svc("deaf", r.stopCommand("mute", "deaf"), "stop: {steps: [{ctrl_c: 700ms}], timeout: 10s}"), 700 * time.Millisecond, patience,
			[]string{"step " + ask, "killed still running"}},
		{"family", svc("family", r.stopCommand("mute", "family", "detached"), "stop: {steps: [ctrl_c], timeout: 1s}"), time.Second, patience,
			[]string{"step " + ask, "killed still running"}},
		{"input", svc("input", r.stopCommand("stdin", "input"), "stop: {steps: [{ctrl_c: 500ms}, {stdin_close: 30s}], timeout: 40s}"), 500 * time.Millisecond, 30 * time.Second,
			[]string{"step " + ask, "step stdin_close"}},
		{"file", svc("file", r.stopCommand("file", "file", file), fmt.Sprintf("stop: {steps: [{exec: %s, timeout: 30s}], timeout: 60s}", step("touch", file))), 0, 30 * time.Second,
			[]string{"step "}},
		{"failing", svc("failing", r.stopCommand("file", "failing", second), fmt.Sprintf("stop: {steps: [{exec: %s, timeout: 50s}, {exec: %s, timeout: 30s}], timeout: 80s}", step("fail", ""), step("touch", second))), 0, 40 * time.Second,
			[]string{"step ", "warning action ", "step "}},
		{"hanging", svc("hanging", r.stopCommand("mute", "hanging"), fmt.Sprintf("stop: {steps: [{exec: %s, timeout: 1s}, {ctrl_c: 500ms}], timeout: 60s}", step("hang", ""))), 1500 * time.Millisecond, patience,
			nil}, // the warning comes once the action is killed, before or after the next step
		{"web", svc("web", r.stopCommand("http", "web"), "port: auto", `stop: {steps: [{http: "POST http://127.0.0.1:${PORT}/quit", timeout: 30s}], timeout: 60s}`), 0, 30 * time.Second,
			[]string{"step POST http://127.0.0.1:"}},
		{"refusing", svc("refusing", r.stopCommand("http", "refusing"), "port: auto", `stop: {steps: [{http: "POST http://127.0.0.1:${PORT}/no", timeout: 50s}, {http: "POST http://127.0.0.1:${PORT}/quit", timeout: 30s}], timeout: 80s}`), 0, 40 * time.Second,
			[]string{"step POST http://", "warning action POST http://", "step POST http://"}},
		// One that hangs up may be about to end: it gets a second before that is a failure.
		{"rude", svc("rude", r.stopCommand("http", "rude"), "port: auto", `stop: {steps: [{http: "POST http://127.0.0.1:${PORT}/bye", timeout: 50s}, {http: "POST http://127.0.0.1:${PORT}/quit", timeout: 30s}], timeout: 80s}`), time.Second, 40 * time.Second,
			[]string{"step POST http://", "warning action POST http://", "step POST http://"}},
		{"slow", svc("slow", r.stopCommand("http", "slow"), "port: auto", `stop: {steps: [{http: "POST http://127.0.0.1:${PORT}/slow", timeout: 700ms}, {http: "POST http://127.0.0.1:${PORT}/quit", timeout: 30s}], timeout: 60s}`), 700 * time.Millisecond, 40 * time.Second,
			nil},
	})
}
