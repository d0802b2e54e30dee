package spec

import (
	"maps"
	"net/url"
	"reflect"
	"slices"
	"strings"
)

// named decodes a mapping of names to groups.
func (d *decoder) named(n *node, k *keyNode, field reflect.Value) {
	if n.kind != mapNode {
		d.problem(n, "must be a mapping of names, found %s", n.describe())
		return
	}
	out := make(map[string]LogTarget, len(n.pairs))
	for _, p := range n.pairs {
		name := p.key.value
		if strings.HasPrefix(name, "x-") {
			continue
		}
		d.push(name)
		target, base := defaultTarget, defaultTarget
		if err := checkName(name, "target"); err != nil {
			d.fail(p.key, err)
		} else if p.val.kind == nullNode {
			d.problem(p.key, "the type and the url are missing")
		} else {
			before := len(d.l.problems)
			d.group(p.val, k.children["*"], reflect.ValueOf(&target).Elem(), reflect.ValueOf(&base).Elem())
			if len(d.l.problems) == before {
				targetCheck{d, p.key, p.val}.target(target)
			}
		}
		out[name] = target
		d.pop()
	}
	field.Set(reflect.ValueOf(out))
}

// targetSchemes are the protocols below a type of target.
var targetSchemes = map[TargetType][]string{
	TargetOTLP:   {"http", "https"},
	TargetLoki:   {"http", "https"},
	TargetSyslog: {"udp", "tcp", "tls"},
	TargetJSON:   {"http", "https", "tcp", "tls"},
}

// targetCheck refuses what no connection could be made with.
type targetCheck struct {
	*decoder
	key, at *node
}

func (c targetCheck) refuse(wrong bool, name, hint, format string, args ...any) {
	if !wrong {
		return
	}
	at := c.key
	if v, _ := c.at.get(name); v != nil {
		c.push(name)
		defer c.pop()
		at = v
	}
	c.fail(at, words(hint, format, args...))
}

func (c targetCheck) target(t LogTarget) {
	c.refuse(t.Type == "", "type", "otlp, loki, syslog or json", "the type is missing")
	c.refuse(t.URL == "", "url", "", "the url is missing")
	schemes := targetSchemes[t.Type]
	if len(schemes) == 0 || t.URL == "" {
		return
	}
	u, err := url.Parse(t.URL)
	if err != nil || u.Hostname() == "" {
		c.refuse(true, "url", "for example "+schemes[0]+"://logs.example.com:1234", "%s is no address", quote(t.URL))
		return
	}
	if !slices.Contains(schemes, u.Scheme) {
		c.refuse(true, "url", "it begins with one of "+strings.Join(schemes, ", "), "%s is sent over nothing like %s", t.Type, quote(u.Scheme))
		return
	}
	web := u.Scheme == "http" || u.Scheme == "https"
	c.refuse(u.User != nil, "url", "use user and password, or token: the file is no place for secrets", "holds a user")
	c.refuse(!web && (u.Port() == "" || strings.Trim(u.Path, "/") != "" || u.RawQuery != ""), "url",
		"write "+u.Scheme+"://host:port", "%s needs a port and nothing else", quote(t.URL))
	const webOnly = "is of http and https only"
	c.refuse(!web && len(t.Headers) > 0, "headers", "", webOnly)
	c.refuse(!web && t.Token != nil, "token", "", webOnly)
	c.refuse(!web && t.User != "", "user", "", webOnly)
	c.refuse(t.Token != nil && t.User != "", "token", "one of both proves who is asking", "there is a user, too")
	c.refuse((t.Password != nil) != (t.User != ""), "password", "", "user and password belong together")
	c.refuse((t.TLS.Cert == "") != (t.TLS.Key == ""), "tls", "", "cert and key belong together")
	c.refuse(t.TLS != (TargetTLS{}) && u.Scheme != "https" && u.Scheme != "tls", "tls", "", "%s is not encrypted", u.Scheme)
	c.refuse(t.Timeout <= 0, "timeout", "", "must be more than 0")
	c.refuse(t.Spool != 0 && t.Spool < 1<<20, "spool", "0 keeps nothing on disk", "must be at least 1MiB")
	for _, name := range slices.Sorted(maps.Keys(t.Headers)) {
		c.refuse(secretHeader(name), "headers", "use token, or user and password: the file is no place for secrets", "%s is a secret", quote(name))
	}
}

// secretHeader reports whether a header proves who is asking.
func secretHeader(name string) bool {
	switch strings.ToLower(name) {
	case "authorization", "proxy-authorization", "cookie":
		return true
	}
	return false
}

// pairs decodes a mapping of names to texts.
func (d *decoder) pairs(n *node) map[string]string {
	if n.kind != mapNode {
		d.problem(n, "must be a mapping, found %s", n.describe())
		return nil
	}
	out := make(map[string]string, len(n.pairs))
	for _, p := range n.pairs {
		d.push(p.key.value)
		if p.key.value == "" {
			d.problem(p.key, "a name is empty")
		} else if s, ok := d.text(p.val); ok {
			if strings.ContainsAny(p.key.value+s, "\r\n\x00") {
				d.problem(p.val, "holds a line end")
			}
			out[p.key.value] = s
		}
		d.pop()
	}
	return out
}
