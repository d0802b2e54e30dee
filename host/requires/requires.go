// Package requires looks whether what a service needs before its start is there: the system and its version, the
// architecture, files, folders, free ports, commands and their versions, addresses, and services of the system.
// It changes nothing, and waits for nothing longer than a few seconds.
package requires

import (
	"context"
	"fmt"
	"runtime"
	"strings"
	"sync"
	"time"

	"servicehost/host/human"
	"servicehost/spec"
)

// Timeout bounds each single look. They are done side by side, so it bounds Check, too.
const Timeout = 3 * time.Second

// Unmet is something that is not there.
type Unmet struct {
	// Key is that of requires which names it: ports.
	Key string
	// Message is a sentence: port 8080 is taken by nginx, process 812.
	Message string
	// Hint says what to do about it; it may be empty.
	Hint string
}

// Env is how a service that needs something is started.
type Env struct {
	// User and Group are those that it runs as; empty: those of this process.
	User, Group string
	// Resolve finds the program that a command names.
	Resolve func(name string) (string, error)
	// Run runs a program as the service would be, and returns the beginning of all it writes, and whether it
	// ended with success. It is ended with ctx. Nil: programs are not run, and their versions not asked for.
	Run func(ctx context.Context, path string, args []string) (output string, ok bool, err error)
}

// look is one thing to be looked at. It returns nil where it is there.
type look struct {
	key, what string
	do        func(ctx context.Context) *Unmet
}

// Check looks at everything that r names and returns what is not there, in the order of the keys. Where ctx ends
// before, what was not looked at is unmet.
func Check(ctx context.Context, r spec.Requires, env Env) []Unmet {
	looks := looksOf(r, env)
	found := make([]*Unmet, len(looks))
	var wait sync.WaitGroup
	for n, l := range looks {
		wait.Go(func() { found[n] = within(ctx, l) })
	}
	wait.Wait()
	var out []Unmet
	for n, u := range found {
		if u != nil {
			u.Key = looks[n].key
			out = append(out, *u)
		}
	}
	return out
}

func looksOf(r spec.Requires, env Env) []look {
	var all []look
	add := func(key string, what any, do func(ctx context.Context) *Unmet) {
		all = append(all, look{key, fmt.Sprint(what), do})
	}
	if len(r.OS) > 0 {
		add("os", "", func(context.Context) *Unmet { return system(r.OS, runtime.GOOS, systemVersion) })
	}
	if len(r.Arch) > 0 {
		add("arch", "", func(context.Context) *Unmet { return architecture(r.Arch, machine()) })
	}
	for _, p := range r.Files {
		add("files", human.Path(p), func(context.Context) *Unmet { return file(p, env) })
	}
	for _, p := range r.Folders {
		add("folders", human.Path(p), func(context.Context) *Unmet { return folder(p, env) })
	}
	for _, p := range r.Ports {
		add("ports", p, func(context.Context) *Unmet { return port(p) })
	}
	for _, c := range r.Commands {
		add("commands", c.Name, func(ctx context.Context) *Unmet { return command(ctx, c, env) })
	}
	for _, a := range r.TCP {
		add("tcp", a, func(ctx context.Context) *Unmet { return address(ctx, a) })
	}
	for _, s := range r.Services {
		add("services", s, func(ctx context.Context) *Unmet { return service(ctx, s) })
	}
	return all
}

// words are what each key lists, for sentences.
var words = map[string]string{"os": "system", "arch": "architecture", "files": "file", "folders": "folder", "ports": "port", "commands": "command", "tcp": "tcp", "services": "service"}

func (l look) name() string { return strings.TrimSpace(words[l.key] + " " + l.what) }

// hanging counts looks that have not come back in time: at a network drive that is gone, say. Meanwhile no other
// of the same is begun, for each holds a thread.
var hanging = struct {
	sync.Mutex
	m map[string]int
}{m: map[string]int{}}

func within(ctx context.Context, l look) *Unmet {
	hanging.Lock()
	hangs := hanging.m[l.name()] > 0
	hanging.Unlock()
	if hangs {
		return &Unmet{Message: l.name() + ": an earlier look has not come back yet"}
	}
	ctx, cancel := context.WithTimeout(ctx, Timeout)
	defer cancel()
	done := make(chan *Unmet, 1)
	var over, counted bool // guarded by hanging
	go func() {
		u := l.do(ctx)
		hanging.Lock()
		if over = true; counted {
			if hanging.m[l.name()]--; hanging.m[l.name()] == 0 {
				delete(hanging.m, l.name())
			}
		}
		hanging.Unlock()
		done <- u
	}()
	select {
	case u := <-done:
		return u
	case <-ctx.Done():
	}
	// A look that ends with ctx does so now, and has a better word for it.
	grace := time.NewTimer(graceTime)
	defer grace.Stop()
	select {
	case u := <-done:
		return u
	case <-grace.C:
	}
	hanging.Lock()
	defer hanging.Unlock()
	if counted = !over; counted {
		hanging.m[l.name()]++
	}
	return &Unmet{Message: l.name() + ": no answer within " + human.Duration(Timeout)}
}

const graceTime = 200 * time.Millisecond
