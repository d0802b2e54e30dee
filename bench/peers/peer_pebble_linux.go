package main

import (
	"fmt"
	"strings"
)

type pebble struct {
	usual
	path string
}

func (pebble) about() about {
	return about{
		Name: "pebble", Title: "Pebble", Output: "100 KiB of memory each",
		Delay: "0.5 s, doubling to 30 s", Lowest: "`backoff-delay: 1ms`, `backoff-factor: 1`, `backoff-limit: 1ms`",
		Lacks: "log files: output stays in memory, or goes to its own output; a stop leaves children of a service that ignore SIGTERM, and all services live on when it is killed",
	}
}

func (p pebble) missing() string { return absent(p.path) }
func (p pebble) version() string { return said(p.path, "version", "--client") }

const pebbleLayer = "pebble/layers/001-all.yaml"

func (p pebble) files(s *setup) []file {
	var b strings.Builder
	b.WriteString("services:")
	if len(s.services) == 0 {
		b.WriteString(" {}")
	}
	b.WriteString("\n")
	for _, x := range s.services {
		fmt.Fprintf(&b, "  %s:\n    override: replace\n    startup: enabled\n    command: %s\n", x.name, strings.Join(x.args, " "))
		if s.lowest {
			b.WriteString("    backoff-delay: 1ms\n    backoff-factor: 1\n    backoff-limit: 1ms\n")
		}
	}
	return []file{{name: pebbleLayer, text: b.String()}}
}

func (p pebble) do(s *setup, words ...string) command {
	return command{
		args: append([]string{p.path}, words...),
		env:  []string{"PEBBLE=" + s.dir + "/pebble", "PEBBLE_SOCKET=" + s.dir + "/pebble/socket"},
	}
}

// start: with much to write the output of all goes to its own, which is the one way to a file.
func (p pebble) start(s *setup) command {
	if s.pouring {
		return p.do(s, "run", "--verbose")
	}
	return p.do(s, "run")
}

func (p pebble) reload(s *setup, _ int, _ string) []command {
	return []command{p.do(s, "add", "--combine", "all", s.dir+"/"+pebbleLayer), p.do(s, "replan")}
}

func (p pebble) stopOne(s *setup, name string) command { return p.do(s, "stop", name) }
func (p pebble) status(s *setup) command               { return p.do(s, "services") }
func (pebble) toOut() bool                             { return true }
func (p pebble) logs(s *setup, _ service) []string     { return []string{s.dir + "/out"} }
