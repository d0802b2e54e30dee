package supervisor

import (
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"servicehost/host/human"
	"servicehost/host/process"
	"servicehost/spec"
)

// request makes what the backend needs out of a spec: absolute paths, the whole environment, a port.
func request(env *environment, s *spec.Service) (process.Request, int, error) {
	port, err := choosePort(s.Port)
	if err != nil {
		return process.Request{}, 0, err
	}
	vars := environ(env, s, port)
	argv := withPort(s.Command, port)
	path, err := programOf(env, s, vars)
	if err != nil {
		return process.Request{}, 0, err
	}
	return runAs(env, s, port, process.Request{
		Path: path, Args: argv, RawArgs: portIn(s.RawArgs, port), Dir: s.Dir, Env: vars,
		Stdin:       slices.ContainsFunc(s.Stop.Steps, func(t spec.Step) bool { return t.Do == "stdin_close" }),
		SplitStderr: s.Log.Stderr != "",
		WholeTree:   s.Track == spec.TrackTree,
		Limits:      limits(s), Nice: s.Priority, Affinity: s.Affinity,
		AllowBreakaway: s.AllowBreakaway, ErrorDialogs: s.ErrorReporting,
	}), port, nil
}

// preflight reports why a spec can't be started at all, without starting it.
func preflight(env *environment, s *spec.Service) error {
	if st, err := os.Stat(s.Dir); err != nil || !st.IsDir() {
		return fmt.Errorf("folder %s not found", human.Path(s.Dir))
	}
	_, err := programOf(env, s, environ(env, s, max(s.Port, 0)))
	return err
}

// choosePort returns the port of this run; a free one of the moment for `port: auto`.
func choosePort(p int) (int, error) {
	if p != spec.PortAuto {
		return p, nil
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return 0, fmt.Errorf("no free port for `port: auto`: %w", err)
	}
	defer l.Close()
	return l.Addr().(*net.TCPAddr).Port, nil
}

func portIn(s string, port int) string {
	if !strings.Contains(s, spec.AutoPort) {
		return s
	}
	return strings.ReplaceAll(s, spec.AutoPort, strconv.Itoa(port))
}

func withPort(list []string, port int) []string {
	out := slices.Clone(list)
	for n, s := range out {
		out[n] = portIn(s, port)
	}
	return out
}

// environ is the whole environment of a child: later wins, as the design orders it.
func environ(env *environment, s *spec.Service, port int) []string {
	base := env.hostEnv
	if !s.InheritEnv {
		base = minimalEnv(env.hostEnv)
	}
	return overlay(env, base, s, port)
}

// meantForHost reports whether a variable is by the manager of the host and for the host alone: a child that
// takes NOTIFY_SOCKET for its own would speak for it.
func meantForHost(kv string) bool {
	name, _, _ := strings.Cut(kv, "=")
	switch name {
	case "NOTIFY_SOCKET", "WATCHDOG_USEC", "WATCHDOG_PID", "LISTEN_FDS", "LISTEN_PID", "LISTEN_FDNAMES", "FDSTORE":
		return true
	}
	return false
}

// overlay lays what the spec says, and what the host adds, over an environment.
func overlay(env *environment, base []string, s *spec.Service, port int) []string {
	own := make(map[string]*string, len(s.Env)+6)
	for k, v := range s.Env {
		if v != nil && strings.Contains(*v, spec.AutoPort) {
			t := portIn(*v, port)
			v = &t
		}
		own[foldEnv(k)] = v
	}
	names := make(map[string]string, len(s.Env))
	for k := range s.Env {
		names[foldEnv(k)] = k
	}
	set := func(k, v string) { own[foldEnv(k)], names[foldEnv(k)] = &v, k }
	set("HOST_SERVICE", s.Name)
	set("HOST_INSTANCE", strconv.Itoa(s.Instance))
	at := env.place.Load()
	set("HOST_NAME", at.name)
	set("HOST_DIR", at.dir)
	set("HOST_EXE", env.exe)
	if s.Binary.Copy != "" {
		set("HOST_SHADOW", filepath.Dir(s.Binary.Copy))
	}
	if port > 0 {
		set("PORT", strconv.Itoa(port))
	}
	out := make([]string, 0, len(base)+len(own))
	for _, kv := range base {
		// A name may begin with "=" on Windows (the current folders of drives).
		if n := strings.IndexByte(kv[min(1, len(kv)):], '='); n >= 0 {
			if _, over := own[foldEnv(kv[:n+1])]; over {
				continue
			}
		}
		out = append(out, kv)
	}
	for k, v := range own {
		if v != nil {
			out = append(out, names[k]+"="+*v)
		}
	}
	slices.Sort(out[len(out)-countSet(own):])
	return out
}

func countSet(m map[string]*string) (n int) {
	for _, v := range m {
		if v != nil {
			n++
		}
	}
	return n
}

func lookup(vars []string, name string) string {
	for _, kv := range vars {
		if k, v, ok := strings.Cut(kv, "="); ok && foldEnv(k) == foldEnv(name) {
			return v
		}
	}
	return ""
}

// resolve makes the program's path absolute: as it is, below the folder of the spec where it has a
// separator, else searched in PATH of the service, never in the working directory.
func resolve(env *environment, name string, s *spec.Service, vars []string) (string, error) {
	if filepath.IsAbs(name) {
		return findExecutable(name, vars)
	}
	base := s.CommandDir
	if base == "" {
		base = env.place.Load().dir
	}
	if strings.ContainsAny(name, pathSeparators) {
		return findExecutable(filepath.Join(base, name), vars)
	}
	if searchBase {
		if p, err := findExecutable(filepath.Join(base, name), vars); err == nil {
			return p, nil
		}
	}
	for _, dir := range filepath.SplitList(lookup(vars, "PATH")) {
		if !filepath.IsAbs(dir) {
			continue
		}
		if p, err := findExecutable(filepath.Join(dir, name), vars); err == nil {
			return p, nil
		}
	}
	return "", &process.Error{Kind: process.ErrNotFound, Message: fmt.Sprintf("executable %q not found in PATH", name),
		Hint: "use an absolute path, or ./" + name + " for the folder of the spec"}
}

func isFile(path string) error {
	st, err := os.Stat(path)
	switch {
	case errors.Is(err, os.ErrPermission):
		return &process.Error{Kind: process.ErrPermission, Message: fmt.Sprintf("executable %s may not be read", human.Path(path))}
	case err != nil:
		return &process.Error{Kind: process.ErrNotFound, Message: fmt.Sprintf("executable %q not found in %s", filepath.Base(path), filepath.Dir(path))}
	case st.IsDir():
		return &process.Error{Kind: process.ErrFormat, Message: fmt.Sprintf("%s is a folder, not an executable", human.Path(path))}
	}
	return executable(path, st)
}
