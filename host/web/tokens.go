package web

import (
	"crypto/subtle"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"slices"
	"strings"
	"sync"
	"time"

	"servicehost/host/control"
	"servicehost/host/human"
	"servicehost/host/secrets"
	"servicehost/spec"
)

const (
	maxToken = 4 << 10
	// fairToken is a length below which a token can be guessed by somebody who is patient.
	fairToken = 20
)

// token is one of host.http.tokens, with the hash of what its file held last.
type token struct {
	spec.HTTPToken
	hash  hash
	there bool
	told  string // what is wrong with its file
}

func (t *token) access() control.Access {
	if t.Role == spec.RoleAct {
		return control.Act
	}
	return control.Read
}

// tokens are host.http.tokens. Their files are small, and read again rather than asked whether they changed.
type tokens struct {
	warn func(string, ...any)

	mu     sync.Mutex
	all    []*token
	looked time.Time
}

func newTokens(warn func(string, ...any)) *tokens { return &tokens{warn: warn} }

// apply makes these the tokens.
func (t *tokens) apply(next []spec.HTTPToken) {
	t.mu.Lock()
	defer t.mu.Unlock()
	var all []*token
	for _, n := range next {
		have := slices.IndexFunc(t.all, func(o *token) bool { return o.HTTPToken == n })
		if have >= 0 {
			all = append(all, t.all[have])
		} else {
			all = append(all, &token{HTTPToken: n})
		}
	}
	t.all, t.looked = all, time.Time{}
	t.refresh()
}

// find returns the token with this text. How long it takes tells nothing about the others.
func (t *tokens) find(h hash) (token, bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.refresh()
	var found token
	var ok bool
	for _, one := range t.all {
		if one.there && subtle.ConstantTimeCompare(one.hash[:], h[:]) == 1 && !ok {
			found, ok = *one, true
		}
	}
	return found, ok
}

func (t *tokens) refresh() {
	if time.Since(t.looked) < recheck {
		return
	}
	t.looked = time.Now()
	for _, one := range t.all {
		text, warning, err := readToken(one.File)
		one.there = err == nil
		if err == nil {
			one.hash = hashOf(text)
		} else {
			warning = fmt.Sprintf("it lets nobody in: %v", err)
		}
		if warning != one.told && warning != "" {
			t.warn("host.http token %q: %s", one.Name, warning)
		}
		one.told = warning
	}
}

// readToken reads a file with one token, and says what is not well with it.
func readToken(path string) (text, warning string, err error) {
	f, err := openToken(path)
	if err != nil {
		if p, ok := errors.AsType[*fs.PathError](err); ok {
			err = p.Err
		}
		return "", "", fmt.Errorf("cannot read %s: %w", human.Path(path), err)
	}
	defer f.Close()
	st, err := f.Stat()
	if err != nil {
		return "", "", fmt.Errorf("cannot read %s: %w", human.Path(path), err)
	}
	if !st.Mode().IsRegular() {
		return "", "", fmt.Errorf("%s is no file", human.Path(path))
	}
	b, err := io.ReadAll(io.LimitReader(f, maxToken+1))
	defer clear(b)
	if err == nil && len(b) > maxToken {
		err = fmt.Errorf("it has more than %s", human.Size(maxToken))
	}
	if err == nil {
		text, err = secrets.Text(b)
	}
	if text = strings.TrimSpace(text); err == nil && text == "" {
		err = errors.New("it is empty")
	}
	if err != nil {
		return "", "", fmt.Errorf("cannot use %s: %w", human.Path(path), err)
	}
	switch {
	case openToOthers(st):
		warning = fmt.Sprintf("every account of this machine may read %s; chmod 600 makes it its owner's alone", human.Path(path))
	case len(text) < fairToken:
		warning = fmt.Sprintf("%s holds only %d characters, which can be guessed; use 32 random ones", human.Path(path), len(text))
	}
	return text, warning, nil
}
