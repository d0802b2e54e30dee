package spec

import (
	"net"
	"strconv"
	"strings"
)

// checkListen refuses what nobody could listen on.
func checkListen(s string) error {
	const hint = "for example 127.0.0.1:9180"
	host, port, err := net.SplitHostPort(s)
	if err != nil {
		if _, numErr := strconv.Atoi(s); numErr == nil {
			return words("write 127.0.0.1:"+s, "%s is not host:port", quote(s))
		}
		return words(hint, "%s is not host:port", quote(s))
	}
	if n, err := strconv.ParseUint(port, 10, 16); err != nil {
		return words(hint, "the port of %s is no number from 0 to 65535", quote(s))
	} else if n == 0 && port != "0" {
		return words(hint, "the port of %s is missing", quote(s))
	}
	if strings.ContainsAny(host, " /\\@") {
		return words(hint, "%s is not host:port", quote(s))
	}
	return nil
}

// loopback reports whether only this machine reaches an address to listen on.
func loopback(listen string) bool {
	host, _, _ := net.SplitHostPort(listen)
	host, _, _ = strings.Cut(host, "%")
	ip := net.ParseIP(host)
	return strings.EqualFold(host, "localhost") || ip != nil && ip.IsLoopback()
}

// token checks one element of host.http.tokens; names are those of the ones before.
func (c targetCheck) token(t HTTPToken, names map[string]bool) {
	if t.Name == "" {
		c.refuse(true, "name", "", "the name is missing")
	} else if err := checkName(t.Name, "token"); err != nil {
		_, hint := errorWords(err)
		c.refuse(true, "name", hint, "%s is not the name of a token", quote(t.Name))
	}
	c.refuse(t.Name != "" && names[t.Name], "name", "", "there is a token %s already", quote(t.Name))
	names[t.Name] = true
	c.refuse(t.File == "", "file", "name the file that holds the token; it never stands here", "the file is missing")
}

// listener checks what belongs together in host.http.
func listener(h HTTP, fail func(path string, wrong bool, message, hint string)) {
	t := h.TLS
	fail("http.tls", (t.Cert == "") != (t.Key == ""), "cert and key belong together", "")
	fail("http.tls", t.ClientCA != "" && t.Cert == "" && t.Key == "", "client_ca needs cert and key: certificates are shown over TLS only", "")
	if h.Listen == "" || loopback(h.Listen) {
		return
	}
	beyond := quote(h.Listen) + " is reached from other machines"
	fail("http.listen", t.Cert == "" && t.Key == "", beyond+", and not encrypted", "set tls: {cert, key}, or listen on 127.0.0.1")
	fail("http.listen", len(h.Tokens) == 0 && t.ClientCA == "", beyond+", and asks nobody who he is",
		"set tokens: [{name, role, file}] or tls.client_ca, or listen on 127.0.0.1")
}
