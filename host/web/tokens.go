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

// tokens are host.http.tokens. Their files are small, and read again rather than asked whether they changed. They
// may be on a disk that hangs: nothing but a sign-in waits for them, and not for long.
type tokens struct {
	warn func(string, ...any)
	file func(path string) (text, warning string, err error)

	mu      sync.Mutex
	all     []*token
	edit    int // counts calls of apply
	looked  time.Time
	looking chan struct{} // closed when the files have been read; nil: nobody does
}

// lookWait is how long a sign-in waits for the files; then what they held last counts.
const lookWait = 2 * time.Second

func newTokens(warn func(string, ...any)) *tokens { return &tokens{warn: warn, file: readToken} }

// apply makes these the tokens, and has their files read.
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
	t.edit++
	t.look()
}

// find returns the token with this text. How long it takes tells nothing about the others.
func (t *tokens) find(h hash) (token, bool) {
	t.fresh()
	t.mu.Lock()
	defer t.mu.Unlock()
	var found token
	var ok bool
	for _, one := range t.all {
		if one.there && subtle.ConstantTimeCompare(one.hash[:], h[:]) == 1 && !ok {
			found, ok = *one, true
		}
	}
	return found, ok
}

// fresh has the files read, if that was not just done, and waits for it.
func (t *tokens) fresh() {
	var patience <-chan time.Time
	for {
		t.mu.Lock()
		if time.Since(t.looked) < recheck {
			t.mu.Unlock()
			return
		}
		read := t.look()
		t.mu.Unlock()
		if patience == nil {
			patience = time.After(lookWait)
		}
		select {
		case <-read:
		case <-patience:
			return
		}
	}
}

// look begins to read the files, where nobody does. It is called with the lock held.
func (t *tokens) look() <-chan struct{} {
	if t.looking == nil {
		done := make(chan struct{})
		t.looking = done
		go t.read(slices.Clone(t.all), t.edit, done)
	}
	return t.looking
}

func (t *tokens) read(all []*token, edit int, done chan<- struct{}) {
	type content struct {
		hash    hash
		warning string
		err     error
	}
	found := make([]content, len(all))
	for n, one := range all {
		c := &found[n]
		var text string
		if text, c.warning, c.err = t.file(one.File); c.err == nil {
			c.hash = hashOf(text)
		} else {
			c.warning = fmt.Sprintf("it lets nobody in: %v", c.err)
		}
	}
	t.mu.Lock()
	var tell []string
	for n, one := range all {
		c := found[n]
		one.there, one.hash = c.err == nil, c.hash
		if c.warning != one.told && c.warning != "" {
			tell = append(tell, fmt.Sprintf("host.http token %q: %s", one.Name, c.warning))
		}
		one.told = c.warning
	}
	if edit == t.edit {
		t.looked = time.Now()
	}
	t.looking = nil
	close(done)
	t.mu.Unlock()
	for _, words := range tell {
		t.warn("%s", words)
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
