package supervisor

import (
	"slices"

	"servicehost/spec"
)

// Programs finds programs as a host with this spec does, without one.
type Programs struct{ env *environment }

// NewPrograms takes the environment of the host, NAME=value, and its executable.
func NewPrograms(sp *spec.Spec, hostEnv []string, exe string) Programs {
	env := &environment{hostEnv: slices.DeleteFunc(slices.Clone(hostEnv), meantForHost), exe: exe}
	env.place.Store(&place{name: sp.Host.Name, dir: sp.Dir})
	return Programs{env}
}

// Of returns the program of a service.
func (p Programs) Of(s *spec.Service) (string, error) {
	return programOf(p.env, s, p.Environ(s))
}

// Find returns the program that a service means by a name.
func (p Programs) Find(s *spec.Service, name string) (string, error) {
	return resolve(p.env, name, s, p.Environ(s))
}

// Environ is the environment that a service gets, but for what only a start can tell.
func (p Programs) Environ(s *spec.Service) []string { return environ(p.env, s, max(s.Port, 0)) }
