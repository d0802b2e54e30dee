package supervisor

import (
	"servicehost/host/process"
	"servicehost/spec"
)

// accountEnv is what the spec makes of the environment of another user: that of the host names its folders.
func accountEnv(env *environment, s *spec.Service, port int) *process.AccountEnv {
	a := &process.AccountEnv{Set: overlay(env, nil, s, port)}
	for name, value := range s.Env {
		if value == nil {
			a.Unset = append(a.Unset, name)
		}
	}
	if !s.InheritEnv {
		a.Only = minimalNames
	}
	return a
}
