package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
)

// contender is a supervisor that takes part: how it is configured, started and asked.
type contender interface {
	about() about
	// missing says why it cannot run here, or nothing.
	missing() string
	version() string
	// files are its configuration; called again for a change.
	files(s *setup) []file
	// prepare does what is left before a start or a reload.
	prepare(s *setup) error
	start(s *setup) command
	// pid is the supervisor itself, of which the process that was started is given.
	pid(s *setup, started int) int
	// reload are the commands that apply changed files; the changed service is for those who must be told.
	reload(s *setup, pid int, changed string) []command
	stopOne(s *setup, name string) command
	// status lists all services; no arguments: there is no such command.
	status(s *setup) command
	// logs are the files in which the output of a service lies.
	logs(s *setup, x service) []string
	// toOut reports whether what its services write comes out of its own output.
	toOut() bool
	// stopSignal asks for the end of all.
	stopSignal() syscall.Signal
}

// file is a configuration file, below the folder of the session.
type file struct {
	name, text string
	program    bool
}

// usual is what most contenders do.
type usual struct{}

func (usual) missing() string                       { return "" }
func (usual) version() string                       { return "" }
func (usual) prepare(*setup) error                  { return nil }
func (usual) pid(_ *setup, started int) int         { return started }
func (usual) toOut() bool                           { return false }
func (usual) stopOne(*setup, string) (none command) { return none }
func (usual) status(*setup) (none command)          { return none }
func (usual) stopSignal() syscall.Signal            { return syscall.SIGTERM }

func (usual) logs(s *setup, x service) []string {
	found, _ := filepath.Glob(filepath.Join(s.dir, "logs", x.name+"*"))
	return found
}

// peers are all contenders in the order of the tables; bin holds what was installed for this.
func peers(hostPath, floorPath, bin string) []contender {
	in := func(name string) string {
		path := filepath.Join(bin, name)
		if _, err := os.Stat(path); err != nil {
			if found, err := findProgram(name); err == nil {
				return found
			}
		}
		return path
	}
	return []contender{
		floorGo{path: floorPath},
		hostPeer{path: hostPath},
		processCompose{path: in("process-compose")},
		pebble{path: in("pebble")},
		&ochinchina{path: in("supervisord-go")},
		pythonSupervisor{},
		pm2{path: filepath.Join(bin, "node_modules", "pm2", "bin", "pm2")},
		s6{},
		runit{},
		s6{logged: true},
		runit{logged: true},
	}
}

// absent says that a program is not there, or nothing.
func absent(path string) string {
	if _, err := findProgram(path); err != nil {
		return fmt.Sprintf("%s is not installed", filepath.Base(path))
	}
	return ""
}

// said is the first line that a command prints. It runs before this process collects children.
func said(args ...string) string {
	path, err := findProgram(args[0])
	if err != nil {
		return ""
	}
	out, _ := exec.Command(path, args[1:]...).CombinedOutput()
	first, _, _ := strings.Cut(strings.TrimSpace(string(out)), "\n")
	return strings.TrimSpace(first)
}

// debian is the version of a package of the distribution.
func debian(name string) string { return said("dpkg-query", "-W", "-f", "${Version}", name) }

// showing are the files and commands of a contender with one service, for the reader.
func showing(c contender, child string) []listing {
	const dir = "/tmp/DIR"
	s := &setup{dir: dir, lowest: true, pouring: true, leaving: true}
	s.services = []service{{"web", []string{child, "rest", "notes", "web", "one"}, filepath.Join(dir, "logs", "web.log")}}
	clean := strings.NewReplacer(child+" rest notes web one", "CHILD one", child, "CHILD", dir, "DIR", "-HUP 0", "-HUP PID").Replace
	var out []listing
	for _, f := range c.files(s) {
		out = append(out, listing{f.name, strings.TrimSpace(clean(f.text))})
	}
	tell := func(what string, all ...command) {
		for _, x := range all {
			if x.args == nil {
				continue
			}
			words := append([]string(nil), x.env...)
			for i, w := range x.args {
				if i == 0 || strings.HasSuffix(w, "/pm2") {
					w = filepath.Base(w)
				}
				words = append(words, w)
			}
			out = append(out, listing{what, clean(strings.Join(words, " "))})
		}
	}
	tell("start", c.start(s))
	tell("change", c.reload(s, 0, "web")...)
	tell("list", c.status(s))
	tell("stop one", c.stopOne(s, "web"))
	return out
}
