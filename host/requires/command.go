package requires

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"servicehost/host/human"
	"servicehost/spec"
)

// command looks for a program, and where a version is wanted has it tell its own.
func command(ctx context.Context, n spec.Need, env Env) *Unmet {
	path, err := env.Resolve(n.Name)
	if err != nil {
		return &Unmet{Message: "command " + n.Name + ": " + err.Error()}
	}
	if n.Op == "" || env.Run == nil {
		return nil
	}
	version, err := versions.of(ctx, path, env)
	switch {
	case errors.Is(err, context.DeadlineExceeded):
		return &Unmet{Message: fmt.Sprintf("command %s: it did not tell its version within %s", n.Name, human.Duration(Timeout))}
	case err != nil:
		return &Unmet{Message: fmt.Sprintf("command %s: it does not tell its version: %v", n.Name, err)}
	}
	if named := strings.ToLower(strings.TrimSuffix(filepath.Base(path), filepath.Ext(path))); strings.HasPrefix(named, "java") {
		version = strings.TrimPrefix(version, "1.") // 1.8.0 is Java 8
	}
	if !satisfies(version, n) {
		return &Unmet{Message: fmt.Sprintf("command %s: version %s, wanted %s %s", n.Name, version, n.Op, n.Version)}
	}
	return nil
}

// asked are the ways to have a program tell its version, in the order they are tried.
var asked = [][]string{{"--version"}, {"-version"}, {"version"}}

// errSilent is the end of a program that named no number.
var errSilent = errors.New("neither --version nor -version nor version has it name one")

// tell runs a program for its version.
func tell(ctx context.Context, path string, env Env) (string, error) {
	for _, args := range asked {
		out, ok, err := env.Run(ctx, path, args)
		if ctx.Err() != nil {
			return "", ctx.Err()
		}
		if err != nil {
			return "", err
		}
		if v := versionIn(out); ok && v != "" {
			return v, nil
		}
	}
	return "", errSilent
}

// memory keeps versions for a while: a hundred services of one Java are started at once with one look.
type memory struct {
	mu    sync.Mutex
	known map[program]answer
	turns chan struct{} // programs that may run at once
}

// program is a file as it was when it was asked. Wrappers choose by their environment, so nothing is kept long.
type program struct {
	path, user, group string
	size              int64
	changed           time.Time
}

type answer struct {
	version string
	at      time.Time
}

const (
	keepVersions = 30 * time.Second
	atOnce       = 4
)

var versions = &memory{known: map[program]answer{}, turns: make(chan struct{}, atOnce)}

func (m *memory) of(ctx context.Context, path string, env Env) (string, error) {
	select {
	case m.turns <- struct{}{}:
		defer func() { <-m.turns }()
	case <-ctx.Done():
		return "", ctx.Err()
	}
	p := program{path: path, user: env.User, group: env.Group}
	if st, err := os.Stat(path); err == nil {
		p.size, p.changed = st.Size(), st.ModTime()
	}
	if v := m.get(p); v != "" {
		return v, nil
	}
	v, err := tell(ctx, path, env)
	if err == nil {
		m.put(p, v)
	}
	return v, err
}

func (m *memory) get(p program) string {
	m.mu.Lock()
	defer m.mu.Unlock()
	if a := m.known[p]; time.Since(a.at) < keepVersions {
		return a.version
	}
	return ""
}

func (m *memory) put(p program, version string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for old, a := range m.known {
		if time.Since(a.at) >= keepVersions {
			delete(m.known, old)
		}
	}
	m.known[p] = answer{version, time.Now()}
}
