package main

import (
	"encoding/json"
	"fmt"
	"strings"
)

// hostPeer is what this repository makes.
type hostPeer struct {
	usual
	path string
}

func (hostPeer) about() about {
	return about{
		Name: "host", Title: "host", Output: "a file each, rotated",
		Delay: "1 s, doubling to 1 min", Lowest: "`restart: {delay: 0s, limit: 0}`",
		Lacks: "–",
	}
}

func (h hostPeer) missing() string { return absent(h.path) }
func (h hostPeer) version() string {
	v, _, _ := strings.Cut(strings.TrimPrefix(said(h.path, "version"), "host "), " (")
	return v
}

func (h hostPeer) files(s *setup) []file {
	var b strings.Builder
	b.WriteString("version: 1\nhost: {event_log: false}\nservices:")
	if len(s.services) == 0 {
		b.WriteString(" {}")
	}
	b.WriteString("\n")
	for _, x := range s.services {
		rotate := ""
		if s.pouring {
			rotate = ", max_size: 100MB, max_files: 40"
		}
		fmt.Fprintf(&b, "  %s:\n    command: %s\n", x.name, list(x.args))
		if s.lowest {
			b.WriteString("    restart: {delay: 0s, limit: 0}\n")
		}
		fmt.Fprintf(&b, "    log: {path: %s, format: raw, compress: none%s}\n", x.log, rotate)
	}
	return []file{{name: "services.yaml", text: b.String()}}
}

// list is words as a flow sequence of YAML, which JSON is.
func list(words []string) string {
	text, _ := json.Marshal(words)
	return string(text)
}

func (h hostPeer) do(s *setup, words ...string) command {
	return command{
		args: append([]string{h.path, "-f", s.dir + "/services.yaml"}, words...),
		env:  []string{"HOST_RUN_DIR=" + s.dir + "/run"},
	}
}

func (h hostPeer) start(s *setup) command                     { return h.do(s, "run") }
func (h hostPeer) reload(s *setup, _ int, _ string) []command { return []command{h.do(s, "reload")} }
func (h hostPeer) stopOne(s *setup, name string) command      { return h.do(s, "stop", name) }
func (h hostPeer) status(s *setup) command                    { return h.do(s, "status") }
