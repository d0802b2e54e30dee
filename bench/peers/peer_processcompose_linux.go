package main

import (
	"fmt"
	"os/exec"
	"strings"
)

type processCompose struct {
	usual
	path string
}

func (processCompose) about() about {
	return about{
		Name: "process-compose", Title: "process-compose", Output: "a file each, rotated",
		Delay: "1 s", Lowest: "1 s: `backoff_seconds` is a whole number from 1",
		Lacks: "a delay below a second; a stop leaves children of a service that ignore SIGTERM, and all services live on when it is killed",
	}
}

func (p processCompose) missing() string { return absent(p.path) }

func (p processCompose) version() string {
	cmd := exec.Command(p.path, "version")
	out, _ := cmd.CombinedOutput()
	for line := range strings.Lines(string(out)) {
		if v, ok := strings.CutPrefix(line, "Version:"); ok {
			return strings.TrimSpace(v)
		}
	}
	return ""
}

// files: entrypoint starts the program without a shell, no_metadata makes the shortest lines it has. A
// log_level that is higher would silence the log files of the services as well.
func (p processCompose) files(s *setup) []file {
	var b strings.Builder
	b.WriteString("version: \"0.5\"\nis_strict: true\nprocesses:")
	if len(s.services) == 0 {
		b.WriteString(" {}")
	}
	b.WriteString("\n")
	for _, x := range s.services {
		fmt.Fprintf(&b, "  %s:\n    entrypoint: %s\n    availability:\n      restart: always\n", x.name, list(x.args))
		if s.lowest {
			b.WriteString("      backoff_seconds: 1\n")
		}
		fmt.Fprintf(&b, "    log_location: %s\n    log_configuration:\n      no_metadata: true\n", x.log)
		if s.pouring {
			b.WriteString("      rotation:\n        max_size_mb: 100\n        max_backups: 40\n")
		}
	}
	return []file{{name: "process-compose.yaml", text: b.String()}}
}

func (p processCompose) do(s *setup, words ...string) command {
	return command{args: append([]string{p.path}, append(words, "-U", "-u", s.dir+"/socket", "-L", s.dir+"/own.log")...)}
}

func (p processCompose) start(s *setup) command {
	return p.do(s, "up", "-t=false", "--keep-project", "--disable-dotenv", "-f", s.dir+"/process-compose.yaml")
}

// reload asks the server to read its file again, which is faster than its own command for that and
// leaves the others alone.
func (p processCompose) reload(s *setup, _ int, _ string) []command {
	return []command{{args: []string{"curl", "-sS", "-X", "POST", "--unix-socket", s.dir + "/socket", "http://localhost/project/configuration"}}}
}

func (p processCompose) stopOne(s *setup, name string) command {
	return p.do(s, "process", "stop", name)
}

func (p processCompose) status(s *setup) command { return p.do(s, "process", "list") }
