package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// pm2 has a daemon that the first command starts.
type pm2 struct {
	usual
	path string
}

func (pm2) about() about {
	return about{
		Name: "pm2", Title: "pm2 (Node.js)", Output: "a file each",
		Delay: "none, given up after 16 short runs", Lowest: "none, as it comes",
		Lacks: "rotation of logs, which is a module; a reload of the whole file restarts all, so it is told which one changed; all services live on when it is killed",
	}
}

func (p pm2) missing() string {
	if why := absent("node"); why != "" {
		return why
	}
	return absent(p.path)
}

func (p pm2) version() string {
	var pkg struct{ Version string }
	text, _ := os.ReadFile(filepath.Join(filepath.Dir(p.path), "..", "package.json"))
	if json.Unmarshal(text, &pkg) != nil {
		return ""
	}
	return pkg.Version + ", Node.js " + strings.TrimPrefix(said("node", "-v"), "v")
}

// files: neither version control nor its own metrics are looked at, which makes starts faster.
func (p pm2) files(s *setup) []file {
	type app struct {
		Name        string   `json:"name"`
		Script      string   `json:"script"`
		Args        []string `json:"args"`
		Interpreter string   `json:"interpreter"`
		ExecMode    string   `json:"exec_mode"`
		Autorestart bool     `json:"autorestart"`
		Vizion      bool     `json:"vizion"`
		Pmx         bool     `json:"pmx"`
		MergeLogs   bool     `json:"merge_logs"`
		Out         string   `json:"out_file"`
		Error       string   `json:"error_file"`
	}
	apps := []app{}
	for _, x := range s.services {
		apps = append(apps, app{
			Name: x.name, Script: x.args[0], Args: x.args[1:], Interpreter: "none", ExecMode: "fork",
			Autorestart: true, MergeLogs: true, Out: x.log, Error: x.log,
		})
	}
	text, _ := json.MarshalIndent(map[string]any{"apps": apps}, "", "  ")
	return []file{{name: "apps.json", text: string(text)}}
}

func (p pm2) do(s *setup, words ...string) command {
	return command{
		args: append([]string{"node", p.path, "--silent"}, words...),
		env:  []string{"PM2_HOME=" + s.dir + "/pm2", "PM2_DISABLE_VERSION_CHECK=true", "PM2_DISCRETE_MODE=true"},
	}
}

func (p pm2) start(s *setup) command {
	if len(s.services) == 0 {
		return p.do(s, "ping")
	}
	return p.do(s, "start", s.dir+"/apps.json")
}

func (p pm2) pid(s *setup, started int) int {
	text, err := os.ReadFile(s.dir + "/pm2/pm2.pid")
	if err != nil {
		return started
	}
	pid, err := strconv.Atoi(strings.TrimSpace(string(text)))
	if err != nil {
		return started
	}
	return pid
}

// reload names the changed one: of the whole file it restarts all.
func (p pm2) reload(s *setup, _ int, changed string) []command {
	return []command{p.do(s, "reload", s.dir+"/apps.json", "--update-env", "--only", changed)}
}

func (p pm2) stopOne(s *setup, name string) command { return p.do(s, "stop", name) }

func (p pm2) status(s *setup) command {
	c := p.do(s, "list")
	c.args = append(c.args[:2:2], c.args[3:]...) // the list itself would be silent
	return c
}
