package supervisor

import (
	"servicehost/host/process"
	"servicehost/spec"
)

// runAs lets a request run as the spec says: the service, and what is done for it.
func runAs(env *environment, s *spec.Service, port int, r process.Request) process.Request {
	r.User, r.Group = s.User, s.Group
	r.Password = passwordOf(s.Password)
	r.RestrictedToken, r.Integrity = s.RestrictedToken, s.Integrity
	r.UserSession = s.Session == spec.SessionUser
	if r.User != "" || r.UserSession {
		r.AccountEnv = accountEnv(env, s, port)
	}
	return r
}

// passwordOf says where a password is found; the backend asks for it when it signs the account in.
func passwordOf(s *spec.Secret) *process.Secret {
	switch {
	case s == nil:
		return nil
	case s.File != "":
		return &process.Secret{From: "file", Name: s.File}
	case s.Env != "":
		return &process.Secret{From: "env", Name: s.Env}
	case len(s.Exec) > 0:
		return &process.Secret{From: "exec", Exec: s.Exec}
	case s.DPAPI != "":
		return &process.Secret{From: "dpapi", Name: s.DPAPI}
	}
	return &process.Secret{From: "credential", Name: s.Credential}
}
