package probe

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"os"
	"sync"
	"time"

	"servicehost/host/outbound"
	"servicehost/spec"
)

// tlsFiles holds what was made of the files of a spec.TargetTLS for as long as they don't change: certificates are
// renewed while services run.
type tlsFiles struct {
	mu   sync.Mutex
	made map[tlsKey]*tlsMade
}

type tlsKey struct {
	spec   spec.TargetTLS
	server string
}

type tlsMade struct {
	config *tls.Config
	stamps [3]stamp
}

// stamp tells a version of a file.
type stamp struct {
	at   time.Time
	size int64
}

func stampsOf(t spec.TargetTLS) (out [3]stamp) {
	for n, path := range []string{t.CA, t.Cert, t.Key} {
		if path == "" {
			continue
		}
		if info, err := os.Stat(path); err == nil {
			out[n] = stamp{info.ModTime(), info.Size()}
		}
	}
	return out
}

// config is the configuration for a server; sessions are taken up again, which saves most of a handshake.
func (f *tlsFiles) config(t spec.TargetTLS, server string) (*tls.Config, error) {
	if t.ServerName != "" {
		server = t.ServerName
	}
	k := tlsKey{t, server}
	stamps := stampsOf(t)
	f.mu.Lock()
	defer f.mu.Unlock()
	if m := f.made[k]; m != nil && m.stamps == stamps {
		return m.config, nil
	}
	c, err := outbound.TLS(t, server)
	if err != nil {
		return nil, err
	}
	c.ClientSessionCache = tls.NewLRUClientSessionCache(4)
	if f.made == nil || len(f.made) > maxMade {
		f.made = map[tlsKey]*tlsMade{}
	}
	f.made[k] = &tlsMade{c, stamps}
	return c, nil
}

// maxMade bounds what edits of the spec leave behind; what is in use is made again.
const maxMade = 4096

func tlsAnswer(err error, timeout time.Duration) answer {
	if isTimeout(err) {
		return failed("no TLS handshake within " + text(timeout))
	}
	if _, ok := errors.AsType[x509.UnknownAuthorityError](err); ok {
		return failed(err.Error() + "; name its CA in tls.ca, or set tls.insecure")
	}
	if _, ok := errors.AsType[tls.RecordHeaderError](err); ok {
		return failed("what answers speaks no TLS")
	}
	ans := netAnswer(err, "no TLS handshake", timeout)
	ans.nobody = false
	return ans
}
