package main

import (
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"time"
)

// runit scans a folder of folders; with logged each service has an svlogd beside it.
type runit struct {
	usual
	logged bool
}

func (p runit) about() about {
	a := about{
		Name: "runit", Title: "runit", Output: "none",
		Delay: "none, but 1 s after a run shorter than that", Lowest: "no setting",
		Lacks: "output, but by a logger each; a change must name the service; a stop ends only the process itself; when runsvdir is killed, its helpers and all services live on",
	}
	if p.logged {
		a.Name, a.Title, a.Output = "runit-log", "runit, with an svlogd each", "a process and a file each, rotated"
		a.Lacks = "the same, but for output"
	}
	return a
}

func (runit) missing() string { return absent("runsvdir") }
func (runit) version() string { return debian("runit") }

func (p runit) files(s *setup) (all []file) {
	for _, x := range s.services {
		dir := s.dir + "/logs/" + x.name
		all = append(all, file{name: "scan/" + x.name + "/run", text: "#!/bin/sh\nexec " + strings.Join(x.args, " ") + "\n", program: true})
		if p.logged {
			all = append(all,
				file{name: "logs/" + x.name + "/config", text: "s100000000\nn40\n"},
				file{name: "scan/" + x.name + "/log/run", text: "#!/bin/sh\nexec svlogd -b 65536 " + dir + "\n", program: true})
		}
	}
	return all
}

// prepare makes the folders look old: runsvdir waits a second for one that was changed within the last.
func (p runit) prepare(s *setup) error {
	if err := os.MkdirAll(s.dir+"/scan", 0o755); err != nil {
		return err
	}
	old := time.Unix(1e9, 0)
	for _, x := range s.services {
		if err := os.Chtimes(s.dir+"/scan/"+x.name, old, old); err != nil {
			return err
		}
	}
	return os.Chtimes(s.dir+"/scan", old, old)
}

func (p runit) start(s *setup) command {
	return command{args: []string{"runsvdir", "-P", s.dir + "/scan"}}
}

func (p runit) reload(s *setup, _ int, changed string) []command {
	return []command{{args: []string{"sv", "restart", s.dir + "/scan/" + changed}}}
}

func (p runit) stopOne(s *setup, name string) command {
	return command{args: []string{"sv", "-w", "15", "stop", s.dir + "/scan/" + name}}
}

func (p runit) logs(s *setup, x service) []string {
	found, _ := filepath.Glob(filepath.Join(s.dir, "logs", x.name, "*"))
	return logFiles(found)
}

// stopSignal: SIGTERM would leave every runsv at work.
func (runit) stopSignal() syscall.Signal { return syscall.SIGHUP }
