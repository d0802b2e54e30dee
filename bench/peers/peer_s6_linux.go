package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// s6 scans a folder of folders; with logged each service has an s6-log beside it.
type s6 struct {
	usual
	logged bool
}

func (p s6) about() about {
	a := about{
		Name: "s6", Title: "s6", Output: "none",
		Delay: "1 s after every death", Lowest: "no setting",
		Lacks: "output, but by a logger each; a change must name the service; a stop ends only the process itself; when s6-svscan is killed, its helpers and all services live on",
	}
	if p.logged {
		a.Name, a.Title, a.Output = "s6-log", "s6, with an s6-log each", "a process and a file each, rotated"
		a.Lacks = "the same, but for output"
	}
	return a
}

func (s6) missing() string {
	for _, name := range []string{"s6-svscan", "execlineb"} {
		if why := absent(name); why != "" {
			return why
		}
	}
	return ""
}

func (s6) version() string { return debian("s6") }

func (p s6) files(s *setup) (all []file) {
	for _, x := range s.services {
		all = append(all, file{name: "scan/" + x.name + "/run", text: "#!/usr/bin/execlineb -P\n" + strings.Join(x.args, " ") + "\n", program: true})
		if p.logged {
			all = append(all, file{
				name: "scan/" + x.name + "/log/run", program: true,
				text: fmt.Sprintf("#!/usr/bin/execlineb -P\ns6-log -b n40 s100000000 %s/logs/%s\n", s.dir, x.name),
			})
		}
	}
	return all
}

func (p s6) prepare(s *setup) error { return os.MkdirAll(s.dir+"/scan", 0o755) }

func (p s6) start(s *setup) command {
	return command{args: []string{"s6-svscan", "-c", "5000", s.dir + "/scan"}}
}

func (p s6) reload(s *setup, _ int, changed string) []command {
	return []command{{args: []string{"s6-svc", "-r", s.dir + "/scan/" + changed}}}
}

func (p s6) stopOne(s *setup, name string) command {
	return command{args: []string{"s6-svc", "-wd", "-T", "15000", "-d", s.dir + "/scan/" + name}}
}

func (p s6) logs(s *setup, x service) []string {
	found, _ := filepath.Glob(filepath.Join(s.dir, "logs", x.name, "*"))
	return logFiles(found)
}

// logFiles are the current file and the rotated ones of s6-log and svlogd; the others are their own.
func logFiles(found []string) (out []string) {
	for _, f := range found {
		if base := filepath.Base(f); base == "current" || strings.HasPrefix(base, "@") {
			out = append(out, f)
		}
	}
	return out
}
