package main

import (
	"fmt"
	"net"
	"strings"
)

type ochinchina struct {
	usual
	path string
	dir  string
	port int
}

func (*ochinchina) about() about {
	return about{
		Name: "ochinchina", Title: "supervisord in Go (ochinchina)", Output: "a file each, rotated",
		Delay: "none, noticed by a poll of 100 ms", Lowest: "the same with `startsecs=0`",
		Lacks: "a notice of ended children, it looks for them; a stop kills the group only with `killasgroup`, and what left it never",
	}
}

func (o *ochinchina) missing() string { return absent(o.path) }

func (o *ochinchina) version() string {
	return strings.TrimPrefix(said(o.path, "version"), "Version: ")
}

// files: it serves its commands by HTTP only; each session has a free port.
func (o *ochinchina) files(s *setup) []file {
	if o.dir != s.dir {
		o.dir, o.port = s.dir, 9001
		if l, err := net.Listen("tcp", "127.0.0.1:0"); err == nil {
			o.port = l.Addr().(*net.TCPAddr).Port
			l.Close()
		}
	}
	var b strings.Builder
	fmt.Fprintf(&b, "[supervisord]\nlogfile=%s/own.log\npidfile=%s/pid\nloglevel=info\n", s.dir, s.dir)
	fmt.Fprintf(&b, "[inet_http_server]\nport=127.0.0.1:%d\n[supervisorctl]\nserverurl=http://127.0.0.1:%d\n", o.port, o.port)
	programs(&b, s, "autostart=true\n")
	return []file{{name: "supervisord.conf", text: b.String()}}
}

// programs are the services as both kinds of supervisord read them. With the two settings about groups
// they end the most; where nothing of the kind is looked at they are left out, for a stop takes longer
// with them.
func programs(b *strings.Builder, s *setup, more string) {
	for _, x := range s.services {
		fmt.Fprintf(b, "[program:%s]\ncommand=%s\n%sautorestart=true\nredirect_stderr=true\n", x.name, strings.Join(x.args, " "), more)
		if s.leaving {
			b.WriteString("stopasgroup=true\nkillasgroup=true\n")
		}
		if s.lowest {
			b.WriteString("startsecs=0\n")
		}
		fmt.Fprintf(b, "stdout_logfile=%s\n", x.log)
		if s.pouring {
			b.WriteString("stdout_logfile_maxbytes=100MB\nstdout_logfile_backups=40\n")
		}
	}
}

func (o *ochinchina) start(s *setup) command {
	return command{args: []string{o.path, "-c", s.dir + "/supervisord.conf"}}
}

func (o *ochinchina) ctl(words ...string) command {
	return command{args: append([]string{o.path, "ctl", "-s", fmt.Sprintf("http://127.0.0.1:%d", o.port)}, words...)}
}

// reload: the first reads the file, but leaves the changed program as it runs.
func (o *ochinchina) reload(_ *setup, _ int, changed string) []command {
	return []command{o.ctl("reload"), o.ctl("restart", changed)}
}

func (o *ochinchina) stopOne(_ *setup, name string) command { return o.ctl("stop", name) }
func (o *ochinchina) status(*setup) command                 { return o.ctl("status") }
