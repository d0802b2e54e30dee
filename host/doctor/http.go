package doctor

import (
	"crypto/tls"
	"net"
	"strings"
	"time"

	"servicehost/host/human"
)

// soon is how long before its end a certificate should be replaced.
const soon = 14 * 24 * time.Hour

// http looks at who can reach the dashboard, and for how long its certificate is good.
func (e *examination) http() {
	h := e.sp.Host.HTTP
	if h.Listen == "" {
		return
	}
	if !onlyHere(h.Listen) {
		e.warn("host.http.listen", "listen on 127.0.0.1 if only this machine, or a proxy on it, needs it", "the dashboard on %s is reached from other machines", h.Listen)
	}
	if h.TLS.Cert == "" {
		return
	}
	e.rights(h.TLS.Cert, "file", true)
	if h.TLS.ClientCA != "" {
		e.rights(h.TLS.ClientCA, "file", true)
	}
	pair, err := tls.LoadX509KeyPair(h.TLS.Cert, h.TLS.Key)
	if err != nil {
		e.problem("host.http.tls", "", "the certificate %s can't be used with its key: %s", human.Path(h.TLS.Cert), reason(err))
		return
	}
	switch left := time.Until(pair.Leaf.NotAfter); {
	case left <= 0:
		e.problem("host.http.tls.cert", "replace the file; it is read again without a restart", "the certificate %s is over since %s", human.Path(h.TLS.Cert), pair.Leaf.NotAfter.Format(time.DateOnly))
	case left < soon:
		e.warn("host.http.tls.cert", "replace the file; it is read again without a restart", "the certificate %s is over in %s", human.Path(h.TLS.Cert), human.Duration(left))
	}
}

// onlyHere reports whether only this machine reaches an address to listen on.
func onlyHere(listen string) bool {
	host, _, _ := net.SplitHostPort(listen)
	host, _, _ = strings.Cut(host, "%")
	ip := net.ParseIP(host)
	return strings.EqualFold(host, "localhost") || ip != nil && ip.IsLoopback()
}
