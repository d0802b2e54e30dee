package main

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// service is one that a contender is to run.
type service struct {
	name string
	args []string
	log  string
}

// setup is what the configuration of a contender is made from.
type setup struct {
	dir      string
	services []service
	lowest   bool // the lowest restart delay that it can be given
	leaving  bool // what matters is what they end
	pouring  bool // much will be written: files of 100 MB, and enough of them to keep all
}

// session is a contender that runs, in a folder of its own.
type session struct {
	b *bench
	contender
	setup
	process *process
	notes   string
	begun   int // commands
}

// open starts a contender. args makes the arguments of the child after the file of notes.
func (b *bench) open(c contender, n int, s setup, kind string, word func(i int) []string) (*session, error) {
	b.sessions++
	s.dir = filepath.Join(b.dir, fmt.Sprintf("%s.%d", c.about().Name, b.sessions))
	if err := os.MkdirAll(filepath.Join(s.dir, "logs"), 0o755); err != nil {
		return nil, err
	}
	x := &session{b: b, contender: c, setup: s, notes: filepath.Join(s.dir, "notes")}
	for i := range n {
		name := fmt.Sprintf("c%04d", i)
		args := append([]string{b.child, kind, x.notes, name}, word(i)...)
		x.services = append(x.services, service{name, args, filepath.Join(s.dir, "logs", name+".log")})
	}
	if err := x.write(); err != nil {
		return x, err
	}
	out := b.null
	if !s.pouring || c.toOut() { // what a supervisor repeats to its own output is not what is asked for
		f, err := os.Create(filepath.Join(s.dir, "out"))
		if err != nil {
			return x, err
		}
		defer f.Close()
		out = f
	}
	p, err := start(c.start(&x.setup), s.dir, b.null, out)
	x.process = p
	return x, err
}

func plain(int) []string { return []string{"one"} }

// write puts the configuration in place, by rename as an editor does.
func (x *session) write() error {
	for _, f := range x.files(&x.setup) {
		path := filepath.Join(x.dir, f.name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			return err
		}
		mode := os.FileMode(0o644)
		if f.program {
			mode = 0o755
		}
		if err := os.WriteFile(path+".new", []byte(f.text), mode); err != nil {
			return err
		}
		if err := os.Rename(path+".new", path); err != nil {
			return err
		}
	}
	return x.prepare(&x.setup)
}

func (x *session) read() []note {
	text, _ := os.ReadFile(x.notes)
	return parseNotes(string(text))
}

// until waits for a condition; what is timed is in the notes, so the step does not matter.
func until(timeout, step time.Duration, holds func() bool) bool {
	for end := time.Now().Add(timeout); ; time.Sleep(step) {
		if holds() {
			return true
		}
		if time.Now().After(end) {
			return false
		}
		reap()
	}
}

// up waits until every child has noted that it runs.
func (x *session) up() (map[string]note, error) {
	var running map[string]note
	if !until(2*time.Minute, 20*time.Millisecond, func() bool {
		text, _ := os.ReadFile(x.notes)
		if bytes.Count(text, []byte("\n")) < len(x.services) {
			return false // to read them one by one would take time from those who start
		}
		running = lastOf(parseNotes(string(text)), "run")
		return len(running) == len(x.services)
	}) {
		return nil, fmt.Errorf("%d of %d children run after two minutes", len(running), len(x.services))
	}
	return running, nil
}

// answers waits until the supervisor takes commands.
func (x *session) answers() error {
	c := x.status(&x.setup)
	if c.args == nil {
		return nil
	}
	var last error
	if !until(time.Minute, 100*time.Millisecond, func() bool {
		_, _, last = x.do(c)
		return last == nil
	}) {
		return fmt.Errorf("it answers no command: %w", last)
	}
	return nil
}

// do runs a command to its end, and returns how it ended and the wall time.
func (x *session) do(c command) (ending, time.Duration, error) {
	p, said, err := x.begin(c)
	if err != nil {
		return ending{}, 0, err
	}
	e, at, err := p.wait(time.Minute)
	if err == nil && e.status.ExitStatus() != 0 {
		text, _ := os.ReadFile(said)
		err = fmt.Errorf("%s ended with %d: %s", strings.Join(c.args, " "), e.status.ExitStatus(), strings.TrimSpace(string(text)))
	}
	return e, time.Duration(at - p.began), err
}

// begin starts a command; what it says goes to a file.
func (x *session) begin(c command) (p *process, said string, err error) {
	x.begun++
	said = filepath.Join(x.dir, fmt.Sprintf("said.%d", x.begun))
	out, err := os.Create(said)
	if err != nil {
		return nil, "", err
	}
	defer out.Close()
	p, err = start(c, x.dir, x.b.null, out)
	return p, said, err
}

// supervising are the supervisor and its helpers: everything below it that is not the child.
func (x *session) supervising(all map[int]entry) (out []int) {
	root := x.pid(&x.setup, x.process.pid)
	for _, pid := range append(below(all, root), root) {
		if e, ok := all[pid]; ok && !e.dead && programOf(pid) != x.b.child {
			out = append(out, pid)
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// end kills the supervisor and what is below it, and leaves the other sessions alone.
func (x *session) end() {
	root := x.pid(&x.setup, x.process.pid)
	for _, pid := range append([]int{root}, below(processTable(), root)...) {
		unix.Kill(pid, unix.SIGKILL)
	}
	unix.Close(x.process.fd)
}

// close ends whatever this and every other session has left.
func (x *session) close() error {
	err := endAll(x.b.child)
	unix.Close(x.process.fd)
	if x.b.keep {
		return err
	}
	return errors.Join(err, os.RemoveAll(x.dir))
}
