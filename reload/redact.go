package reload

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"regexp"
	"slices"
	"strings"
	"sync"
)

// Redactor shows that a secret changed without showing it: as a hash with a salt that no other
// process has, so that it can neither be looked up nor guessed.
type Redactor struct {
	Salt []byte
}

// NewRedactor returns a redactor with a salt of its own.
func NewRedactor() *Redactor {
	r := &Redactor{Salt: make([]byte, 32)}
	_, _ = rand.Read(r.Salt) // never fails
	return r
}

var processRedactor = sync.OnceValue(NewRedactor)

// Hash is what stands for a secret: <redacted #1a2b3c>.
func (r *Redactor) Hash(secret string) string {
	h := hmac.New(sha256.New, r.Salt)
	h.Write([]byte(secret))
	return "<redacted #" + hex.EncodeToString(h.Sum(nil)[:3]) + ">"
}

// Words that make a name one of a secret wherever they stand in it, blanks and separators aside. Too
// many is better than too few: what is hidden wrongly is only less to read.
var secretWords = []string{
	"password", "passwd", "passphrase", "pwd", "secret", "token", "credential", "auth", "key", "dsn",
	"connectionstring", "connstr", "cookie", "signature", "private",
}

// These count only as a word of their own.
var secretShort = []string{"pass", "pw", "pin", "sas", "sig"}

// SecretName reports whether the value of a variable or argument of this name must not be shown.
func SecretName(name string) bool {
	lower := strings.ToLower(name)
	flat := strings.Map(func(c rune) rune {
		if c >= 'a' && c <= 'z' || c >= '0' && c <= '9' || c > 0x7f {
			return c
		}
		return -1
	}, lower)
	for _, w := range secretWords {
		if strings.Contains(flat, w) {
			return true
		}
	}
	words := strings.FieldsFunc(lower, func(c rune) bool { return c < '0' || c > '9' && c < 'a' || c > 'z' })
	for _, w := range words {
		if slices.Contains(secretShort, w) {
			return true
		}
	}
	return false
}

// Compiled when first used: a host that never shows a diff does not pay for them.
var patterns = sync.OnceValue(func() (p struct{ userinfo, assign, scheme, following *regexp.Regexp }) {
	value := `("(?:[^"\\]|\\.)*"?|'[^']*'?|[^\s"'&;,]+)`
	name := `([A-Za-z_][\w.-]*(?:\s(?i:string|key))?)`
	// Up to the last @ of the word: a password may hold anything.
	p.userinfo = regexp.MustCompile(`([A-Za-z][A-Za-z0-9+.-]*://)([^\s"'<>/?#@]*(?::[^\s"'<>]*)?)@`)
	p.assign = regexp.MustCompile(name + `(["']?\s*[=:]\s*)` + value)
	p.scheme = regexp.MustCompile(`(?i)\b(bearer|basic)(\s+)` + value)
	p.following = regexp.MustCompile(`(^|\s)((?:--?|/)[A-Za-z_][\w.-]*)(\s+)` + value)
	return p
})

// Text hides what looks like a secret anywhere in s: the user of a URL, name=value and name: value
// where the name is one of a secret, and what follows "Bearer", "Basic" or a flag of such a name.
func (r *Redactor) Text(s string) string {
	if !strings.ContainsAny(s, "=:@ ") {
		return s
	}
	p := patterns()
	s = replace(p.userinfo, s, 2, func(m []string) (string, bool) { return m[1] + r.Hash(m[2]) + "@", true })
	s = replace(p.scheme, s, 2, func(m []string) (string, bool) { return m[1] + m[2] + r.hashOnce(m[3]), true })
	s = replace(p.following, s, 2, func(m []string) (string, bool) {
		return m[1] + m[2] + m[3] + r.hashOnce(m[4]), SecretName(m[2])
	})
	return replace(p.assign, s, 2, func(m []string) (string, bool) {
		return m[1] + m[2] + r.hashOnce(m[3]), SecretName(m[1])
	})
}

// Args hides secrets in a command line; the argument behind a flag of a secret's name is one.
func (r *Redactor) Args(args []string) []string {
	out := make([]string, len(args))
	secret := false
	for i, a := range args {
		switch name, _, assigned := strings.Cut(a, "="); {
		case secret:
			out[i], secret = r.Hash(a), false
		case assigned && i > 0 && SecretName(name) && !strings.ContainsAny(name, " :"):
			out[i] = name + "=" + r.Hash(a[len(name)+1:])
		default:
			out[i] = r.Text(a)
			secret = i > 0 && len(a) > 1 && (a[0] == '-' || a[0] == '/') && !strings.ContainsAny(a[1:], "=: /") && SecretName(a)
		}
	}
	return out
}

// hashOnce leaves alone what an earlier pattern has hidden.
func (r *Redactor) hashOnce(s string) string {
	if strings.HasPrefix(s, "<redacted") || strings.HasPrefix(s, "#") && strings.HasSuffix(s, ">") {
		return s
	}
	return r.Hash(s)
}

// replace puts what f returns in the place of each match, unless f says no: then the search goes on
// behind group skip of the match, for what follows it may be a match of its own.
func replace(re *regexp.Regexp, s string, skip int, f func([]string) (string, bool)) string {
	var b strings.Builder
	for {
		m := re.FindStringSubmatchIndex(s)
		if m == nil {
			b.WriteString(s)
			return b.String()
		}
		groups := make([]string, len(m)/2)
		for i := range groups {
			if m[2*i] >= 0 {
				groups[i] = s[m[2*i]:m[2*i+1]]
			}
		}
		if with, yes := f(groups); yes {
			b.WriteString(s[:m[0]])
			b.WriteString(with)
			s = s[m[1]:]
			continue
		}
		b.WriteString(s[:m[2*skip+1]])
		s = s[m[2*skip+1]:]
	}
}
