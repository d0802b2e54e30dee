package doctor

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"

	"servicehost/host/human"
	"servicehost/host/requires"
	"servicehost/spec"
)

// rights tells who else may change a file or folder that the host, or a service, trusts.
func (e *examination) rights(path, what string, itself bool) {
	look := func(path, what string) {
		if e.looked[path] {
			return
		}
		e.looked[path] = true
		if who, hint := writers(path); who != "" {
			e.problem(path, hint, "%s %s may be changed by %s, who so decide what is run", what, human.Path(path), who)
		}
	}
	if _, err := os.Stat(path); err != nil {
		return
	}
	look(path, what)
	if !itself {
		look(filepath.Dir(path), "folder")
	}
}

// secrets looks at the files that hold some.
func (e *examination) secrets() {
	one := func(subject string, s *spec.Secret) {
		if s == nil {
			return
		}
		path := s.File
		if path == "" {
			path = s.DPAPI
		}
		if path == "" {
			return
		}
		_, err := os.Stat(path)
		switch {
		case errors.Is(err, fs.ErrNotExist):
			e.problem(subject, "", "the file of the secret, %s, is not there", human.Path(path))
			return
		case err != nil:
			e.problem(subject, "", "the file of the secret, %s, can't be looked at: %s", human.Path(path), reason(err))
			return
		}
		if err := requires.Readable(path, requires.Env{}); err != nil && e.Status == nil {
			e.problem(subject, "give the account of the host the right to read it", "the file of the secret, %s, can't be read: %s", human.Path(path), reason(err))
		}
		if who, hint := readers(path); who != "" && s.File != "" {
			e.problem(path, hint, "the file of a secret, %s, may be read by %s", human.Path(path), who)
		}
		e.rights(path, "file", true)
	}
	for name, t := range e.sp.Host.LogTargets {
		one("host.log_targets."+name+".token", t.Token)
		one("host.log_targets."+name+".password", t.Password)
	}
	for _, t := range e.sp.Host.HTTP.Tokens {
		one("host.http.tokens."+t.Name, &spec.Secret{File: t.File})
	}
	for _, n := range e.sp.Notify {
		subject := "notify." + n.Name
		one(subject+".secret", n.Secret)
		one(subject+".token", n.Token)
		if n.Webhook != nil {
			one(subject+".webhook", n.Webhook.Secret)
		}
		if n.SMTP != nil {
			one(subject+".smtp.password", n.SMTP.Password)
		}
	}
	one("host.http.tls.key", &spec.Secret{File: e.sp.Host.HTTP.TLS.Key})
	for _, t := range e.sp.Host.HTTP.Tokens {
		one("host.http.tokens."+t.Name, &spec.Secret{File: t.File})
	}
	for _, s := range e.sp.Services {
		one("services."+s.Name+".password", s.Password)
	}
}
