package web

import (
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"os"
	"strings"
	"sync"
	"time"

	"servicehost/host/human"
	"servicehost/spec"
)

// recheck is how often files are looked at again, at most.
const recheck = time.Second

// certs are the files of host.http.tls, read again when they changed. What they held last goes on to be used while
// they can't be.
type certs struct {
	spec.HTTPTLS
	warn func(string, ...any)

	mu      sync.Mutex
	looked  time.Time
	sum     [sha256.Size]byte // of the files
	current *tls.Config
	leaf    *x509.Certificate
	told    string
}

func newCerts(t spec.HTTPTLS, warn func(string, ...any)) *certs {
	return &certs{HTTPTLS: t, warn: warn}
}

// load reads the files. Nothing changes where they can't be used.
func (c *certs) load() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.loadLocked()
}

func (c *certs) loadLocked() error {
	c.looked = time.Now()
	cert, err := os.ReadFile(c.Cert)
	if err != nil {
		return fmt.Errorf("cannot read tls.cert: %w", err)
	}
	key, err := os.ReadFile(c.Key)
	if err != nil {
		return fmt.Errorf("cannot read tls.key: %w", err)
	}
	defer clear(key)
	var ca []byte
	if c.ClientCA != "" {
		if ca, err = os.ReadFile(c.ClientCA); err != nil {
			return fmt.Errorf("cannot read tls.client_ca: %w", err)
		}
	}
	h := sha256.New()
	for _, b := range [][]byte{cert, key, ca} {
		sum := sha256.Sum256(b)
		h.Write(sum[:])
	}
	var sum [sha256.Size]byte
	h.Sum(sum[:0])
	if c.current != nil && sum == c.sum {
		return nil
	}
	pair, err := tls.X509KeyPair(cert, key)
	if err != nil {
		return fmt.Errorf("cannot use tls.cert %s with its key: %w", human.Path(c.Cert), err)
	}
	leaf, err := x509.ParseCertificate(pair.Certificate[0])
	if err != nil {
		return fmt.Errorf("cannot use tls.cert %s: %w", human.Path(c.Cert), err)
	}
	next := &tls.Config{MinVersion: tls.VersionTLS12, Certificates: []tls.Certificate{pair}, NextProtos: []string{"h2", "http/1.1"}}
	if ca != nil {
		next.ClientCAs = x509.NewCertPool()
		if !next.ClientCAs.AppendCertsFromPEM(ca) {
			return fmt.Errorf("tls.client_ca %s holds no certificate in PEM", human.Path(c.ClientCA))
		}
		next.ClientAuth = tls.RequireAndVerifyClientCert
	}
	c.sum, c.current, c.leaf = sum, next, leaf
	return nil
}

// serverConfig asks for the files with each connection. One that comes again with a ticket is sure of the same
// files: each configuration has tickets of its own.
func (c *certs) serverConfig() *tls.Config {
	return &tls.Config{
		MinVersion: tls.VersionTLS12,
		NextProtos: []string{"h2", "http/1.1"},
		GetConfigForClient: func(*tls.ClientHelloInfo) (*tls.Config, error) {
			current, _ := c.fresh()
			return current, nil
		},
	}
}

// fresh looks at the files again, if not just done.
func (c *certs) fresh() (*tls.Config, *x509.Certificate) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if time.Since(c.looked) >= recheck {
		told := ""
		if err := c.loadLocked(); err != nil {
			told = err.Error()
		}
		if told != c.told && told != "" {
			c.warn("host.http goes on with the certificate that it has: %s", told)
		}
		c.told = told
	}
	return c.current, c.leaf
}

// covers reports whether the certificate is one for a name or an address.
func (c *certs) covers(host string) bool {
	_, leaf := c.fresh()
	return host != "" && leaf.VerifyHostname(host) == nil
}

// name is one that the certificate is for; empty: it has none that a browser could ask for.
func (c *certs) name() string {
	_, leaf := c.fresh()
	for _, n := range leaf.DNSNames {
		if !strings.HasPrefix(n, "*") {
			return n
		}
	}
	if len(leaf.IPAddresses) > 0 {
		return leaf.IPAddresses[0].String()
	}
	return ""
}
