package web

import (
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
)

const policy = "default-src 'self'; img-src 'self' data:; object-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"

// protect sets what browsers have to keep to. HSTS is not among it: it would hold for every port of the name.
func protect(h http.Header) {
	h.Set("Content-Security-Policy", policy)
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("X-Frame-Options", "DENY")
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("Cross-Origin-Opener-Policy", "same-origin")
	h.Set("Cross-Origin-Resource-Policy", "same-origin")
	h.Set("Cache-Control", "no-store")
}

// named reports whether the Host of a request is one by which this listener is reached: a page of elsewhere that
// has its own name lead here (DNS rebinding) must not be taken for ours.
func (l *listener) named(r *http.Request) bool {
	host := hostOf(r.Host)
	if host == "" {
		return false
	}
	if ip, err := netip.ParseAddr(host); err == nil {
		ip = ip.Unmap()
		return l.loopback && ip.IsLoopback() || ip == localIP(r) || sameHost(host, l.listenHost()) || l.certs != nil && l.certs.covers(host)
	}
	switch {
	case sameHost(host, l.listenHost()):
		return true
	case l.loopback && sameHost(host, "localhost"):
		return true
	case !l.loopback && l.machine != "" && sameHost(host, l.machine):
		return true
	}
	return l.certs != nil && l.certs.covers(host)
}

func sameHost(a, b string) bool { return b != "" && strings.EqualFold(a, b) }

// hostOf is the name or address in a Host header.
func hostOf(s string) string {
	if host, _, err := net.SplitHostPort(s); err == nil {
		s = host
	} else {
		s = strings.TrimSuffix(strings.TrimPrefix(s, "["), "]")
	}
	s, _, _ = strings.Cut(s, "%")
	return strings.TrimSuffix(s, ".")
}

// localIP is the address that the client connected to. No name leads a browser there unnoticed: it says the name.
func localIP(r *http.Request) netip.Addr {
	a, ok := r.Context().Value(http.LocalAddrContextKey).(*net.TCPAddr)
	if !ok {
		return netip.Addr{}
	}
	return a.AddrPort().Addr().Unmap().WithZone("")
}

// ownPage reports whether a request comes from our page, or from no page at all. Browsers say so in
// Sec-Fetch-Site, older ones in Origin.
func ownPage(r *http.Request) bool {
	switch r.Header.Get("Sec-Fetch-Site") {
	case "same-origin", "none":
		return true
	case "":
	default:
		return false
	}
	from := r.Header.Get("Origin")
	if from == "" {
		return true
	}
	u, err := url.Parse(from)
	return err == nil && strings.EqualFold(u.Host, r.Host)
}
