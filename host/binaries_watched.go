package host

import (
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"servicehost/spec"
)

// describe works out what is to be watched and copied for a service.
func (b *binaries) describe(s *spec.Service) *unit {
	b.mu.Lock()
	was := b.units[keyFor(s)]
	b.mu.Unlock()
	if was != nil && was.of == s.Hash && was.lacking == "" {
		return &unit{key: was.key, of: was.of, id: s.ID, ident: was.ident, group: was.group, program: was.program, shadow: was.shadow, user: was.user}
	}
	u := &unit{key: keyFor(s), of: s.Hash, id: s.ID, shadow: s.Watch.ShadowCopy, user: s.User}
	var err error
	if u.program, err = b.h.sup.Program(s); err != nil {
		u.lacking = err.Error()
	}
	paths := s.Watch.Paths
	if len(paths) == 0 && u.program != "" {
		paths = []string{u.program}
	}
	u.group = strings.Join(append([]string{s.Watch.Quiet.String()}, paths...), "\x00")
	u.ident = fmt.Sprintf("%q %q %t %q", u.group, u.program, u.shadow, u.user)
	return u
}

// dress returns the spec with what was found of the watched files. Where nothing was found yet it stays
// as it is, and the supervisor waits.
func (b *binaries) dress(sp *spec.Spec) *spec.Spec {
	b.mu.Lock()
	none := len(b.units) == 0
	b.mu.Unlock()
	if none || !slices.ContainsFunc(sp.Services, func(s *spec.Service) bool { return s.Watch.On() }) {
		return sp
	}
	out := *sp
	out.Services = slices.Clone(sp.Services)
	for n, s := range out.Services {
		if !s.Watch.On() {
			continue
		}
		now := b.describe(s)
		b.mu.Lock()
		if u := b.units[now.key]; u != nil && u.ident == now.ident && u.found.Content != "" {
			out.Services[n] = s.WithBinary(u.found)
		}
		b.mu.Unlock()
	}
	return &out
}

// excluded names what the host itself writes.
func excluded(sp *spec.Spec) []string {
	out := []string{sp.Host.StateDir + string(filepath.Separator), sp.Host.Logs.Dir + string(filepath.Separator), sp.Host.StateDir, sp.Host.Logs.Dir}
	if sp.Host.Log.Path != "" {
		out = append(out, sp.Host.Log.Path)
	}
	for _, s := range sp.Services {
		ext := filepath.Ext(s.Log.Path)
		out = append(out, strings.TrimSuffix(s.Log.Path, ext)+ext, strings.TrimSuffix(s.Log.Path, ext)+"-", s.Log.Path+".")
		if s.Log.Stderr != "" {
			out = append(out, s.Log.Stderr)
		}
	}
	return out
}

func (b *binaries) excludes(path string) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return slices.ContainsFunc(b.exclude, func(p string) bool { return strings.HasPrefix(path, p) })
}
