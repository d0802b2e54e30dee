package main

import (
	"strconv"
	"strings"
)

// floorGo is ./floor.
type floorGo struct {
	usual
	path string
}

func (floorGo) about() about {
	return about{
		Name: "floor", Title: "floor: a bare Go program", Output: "a file each",
		Delay: "none", Lowest: "none", Lacks: "all but start, restart, copying of output and stop",
	}
}

func (floorGo) files(s *setup) []file {
	var b strings.Builder
	for _, x := range s.services {
		b.WriteString(x.name + " " + strings.Join(x.args, " ") + "\n")
	}
	return []file{{name: "children", text: b.String()}}
}

func (f floorGo) start(s *setup) command {
	return command{args: []string{f.path, s.dir + "/children", s.dir + "/logs"}}
}

func (floorGo) reload(_ *setup, pid int, _ string) []command {
	return []command{{args: []string{"kill", "-HUP", strconv.Itoa(pid)}}}
}
