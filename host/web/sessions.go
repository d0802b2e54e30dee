package web

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"sync"
	"time"

	"servicehost/host/control"
)

const (
	maxSessions = 256
	maxLinks    = 32
	// sessionIdle and sessionMax end a sign-in that nobody uses, and every one.
	sessionIdle = 2 * time.Hour
	sessionMax  = 24 * time.Hour
	linkTime    = time.Minute
)

// hash is what is kept of a secret.
type hash [sha256.Size]byte

func hashOf(secret string) hash { return sha256.Sum256([]byte(secret)) }

// newSecret is 256 random bits.
func newSecret() string {
	b := make([]byte, 32)
	_, _ = rand.Read(b) // never fails: it ends the program instead
	return base64.RawURLEncoding.EncodeToString(b)
}

// session is one sign-in. Its fields but used never change.
type session struct {
	key    hash
	user   string
	access control.Access // of a link
	token  hash           // that it was signed in with; zero: a link
	began  time.Time
	used   time.Time
}

func (s *session) over(now time.Time) bool {
	return now.Sub(s.used) > sessionIdle || now.Sub(s.began) > sessionMax
}

// sessions are those of this run of the host, in memory only.
type sessions struct {
	mu  sync.Mutex
	all map[hash]*session
}

func newSessions() *sessions { return &sessions{all: map[hash]*session{}} }

// add begins a session and returns its secret. The one that was not used for the longest time makes room.
func (s *sessions) add(one session, now time.Time) string {
	secret := newSecret()
	one.key, one.began, one.used = hashOf(secret), now, now
	s.mu.Lock()
	defer s.mu.Unlock()
	var oldest *session
	for key, other := range s.all {
		if other.over(now) {
			delete(s.all, key)
		} else if oldest == nil || other.used.Before(oldest.used) {
			oldest = other
		}
	}
	if len(s.all) >= maxSessions {
		delete(s.all, oldest.key)
	}
	s.all[one.key] = &one
	return secret
}

// use finds the session with a key and counts as a use of it.
func (s *sessions) use(key hash, now time.Time) (session, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	one := s.all[key]
	if one == nil {
		return session{}, false
	}
	if one.over(now) {
		delete(s.all, key)
		return session{}, false
	}
	one.used = now
	return *one, true
}

func (s *sessions) drop(key hash) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.all, key)
}

// link is a sign-in that was promised to somebody.
type link struct {
	user   string
	access control.Access
	until  time.Time
}

// links are the sign-ins that work once.
type links struct {
	mu  sync.Mutex
	all map[hash]link
}

func newLinks() *links { return &links{all: map[hash]link{}} }

func (l *links) add(user string, access control.Access, now time.Time) (secret string, until time.Time) {
	secret, until = newSecret(), now.Add(linkTime)
	l.mu.Lock()
	defer l.mu.Unlock()
	var oldest hash
	var first time.Time
	for key, one := range l.all {
		if now.After(one.until) {
			delete(l.all, key)
		} else if first.IsZero() || one.until.Before(first) {
			oldest, first = key, one.until
		}
	}
	if len(l.all) >= maxLinks {
		delete(l.all, oldest)
	}
	l.all[hashOf(secret)] = link{user, access, until}
	return secret, until
}

// take finds what a link is good for; it is good for nothing afterwards.
func (l *links) take(secret string, now time.Time) (link, bool) {
	key := hashOf(secret)
	l.mu.Lock()
	defer l.mu.Unlock()
	one, ok := l.all[key]
	delete(l.all, key)
	return one, ok && !now.After(one.until)
}
