package main

import (
	"fmt"
	"strings"
)

// pythonSupervisor is the supervisor of Debian, in Python.
type pythonSupervisor struct{ usual }

func (pythonSupervisor) about() about {
	return about{
		Name: "supervisor", Title: "supervisor (Python)", Output: "a file each, rotated",
		Delay: "none after a run of 1 s, else 1 s, 2 s, 3 s, then given up", Lowest: "the same with `startsecs=0`",
		Lacks: "a prompt notice of ended children, some are seen a second later; a stop leaves children of a service that ignore SIGTERM, and all services live on when it is killed",
	}
}

func (pythonSupervisor) missing() string { return absent("supervisord") }
func (pythonSupervisor) version() string { return said("supervisord", "--version") }

func (pythonSupervisor) files(s *setup) []file {
	var b strings.Builder
	fmt.Fprintf(&b, "[supervisord]\nlogfile=%s/own.log\npidfile=%s/pid\nchildlogdir=%s/logs\nminfds=%d\nloglevel=info\n",
		s.dir, s.dir, s.dir, max(1024, 3*len(s.services)+100))
	fmt.Fprintf(&b, "[unix_http_server]\nfile=%s/socket\n[supervisorctl]\nserverurl=unix://%s/socket\n", s.dir, s.dir)
	b.WriteString("[rpcinterface:supervisor]\nsupervisor.rpcinterface_factory=supervisor.rpcinterface:make_main_rpcinterface\n")
	programs(&b, s, "")
	return []file{{name: "supervisord.conf", text: b.String()}}
}

func (pythonSupervisor) start(s *setup) command {
	return command{args: []string{"supervisord", "-n", "-c", s.dir + "/supervisord.conf"}}
}

func (pythonSupervisor) ctl(s *setup, words ...string) command {
	return command{args: append([]string{"supervisorctl", "-c", s.dir + "/supervisord.conf"}, words...)}
}

func (p pythonSupervisor) reload(s *setup, _ int, _ string) []command {
	return []command{p.ctl(s, "update")}
}

func (p pythonSupervisor) stopOne(s *setup, name string) command { return p.ctl(s, "stop", name) }
func (p pythonSupervisor) status(s *setup) command               { return p.ctl(s, "status") }
