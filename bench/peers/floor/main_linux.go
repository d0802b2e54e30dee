package main

import (
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
)

// Usage: floor LIST FOLDER. Each line of LIST is the name of a child and its arguments; its output goes to
// FOLDER/NAME.log. SIGHUP reads LIST again and replaces the children whose line is another one, SIGTERM
// ends all of them. Without arguments it does nothing: the floor of a command.
func main() {
	if len(os.Args) != 3 {
		return
	}
	f := floor{list: os.Args[1], folder: os.Args[2], env: os.Environ(), byPID: map[int]*child{}}
	signals := make(chan os.Signal, 100)
	signal.Notify(signals, syscall.SIGCHLD, syscall.SIGHUP, syscall.SIGTERM)
	for _, c := range f.read() {
		f.children = append(f.children, c)
		f.start(c)
	}
	for s := range signals {
		switch s {
		case syscall.SIGHUP:
			f.replace()
		case syscall.SIGTERM:
			f.stopping = true
			for pid := range f.byPID {
				_ = syscall.Kill(pid, syscall.SIGTERM)
			}
		}
		f.reap()
		if f.stopping && len(f.byPID) == 0 {
			return
		}
	}
}

type floor struct {
	list, folder string
	env          []string
	children     []*child
	byPID        map[int]*child
	stopping     bool
}

type child struct {
	words []string
	pid   int
}

func (f *floor) read() (all []*child) {
	text, err := os.ReadFile(f.list)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
	}
	for line := range strings.Lines(string(text)) {
		all = append(all, &child{words: strings.Fields(line)})
	}
	return all
}

func (f *floor) replace() {
	for i, c := range f.read() {
		if i < len(f.children) && !slices.Equal(c.words, f.children[i].words) {
			f.children[i].words = c.words
			_ = syscall.Kill(f.children[i].pid, syscall.SIGTERM)
		}
	}
}

func (f *floor) start(c *child) {
	r, w, err := os.Pipe()
	if err == nil {
		out := w.Fd()
		c.pid, err = syscall.ForkExec(c.words[1], c.words[1:], &syscall.ProcAttr{Env: f.env, Files: []uintptr{0, out, out}})
		w.Close()
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return
	}
	f.byPID[c.pid] = c
	go save(r, filepath.Join(f.folder, c.words[0]+".log"))
}

func (f *floor) reap() {
	for {
		pid, err := syscall.Wait4(-1, nil, syscall.WNOHANG, nil)
		if err != nil || pid <= 0 {
			return
		}
		c := f.byPID[pid]
		delete(f.byPID, pid)
		if c != nil && !f.stopping {
			f.start(c)
		}
	}
}

// save makes the file with the first output: a silent child costs a pipe and little more.
func save(r *os.File, path string) {
	defer r.Close()
	first := make([]byte, 512)
	n, err := r.Read(first)
	if err != nil {
		return
	}
	to, err := os.OpenFile(path, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return
	}
	defer to.Close()
	_, err = to.Write(first[:n])
	for buf := make([]byte, 32<<10); err == nil; {
		if n, err = r.Read(buf); err == nil {
			_, err = to.Write(buf[:n])
		}
	}
}
