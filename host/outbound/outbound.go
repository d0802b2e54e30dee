// Package outbound holds what all connections to receivers outside have in common: whom they trust, and how they take
// being told to come later.
package outbound

import (
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"net/http"
	"os"
	"strconv"
	"time"

	"servicehost/host/human"
	"servicehost/spec"
)

// TLS is the configuration for a server with this name, TLS 1.2 at least. The files are read anew at each call, so that
// certificates can be replaced while the host runs. Errors name the key of the spec.
func TLS(t spec.TargetTLS, server string) (*tls.Config, error) {
	c := &tls.Config{ServerName: server, InsecureSkipVerify: t.Insecure, MinVersion: tls.VersionTLS12}
	if t.ServerName != "" {
		c.ServerName = t.ServerName
	}
	if t.CA != "" {
		pem, err := os.ReadFile(t.CA)
		if err != nil {
			return nil, fmt.Errorf("cannot read tls.ca: %w", err)
		}
		c.RootCAs = x509.NewCertPool()
		if !c.RootCAs.AppendCertsFromPEM(pem) {
			return nil, fmt.Errorf("tls.ca %s holds no certificate in PEM", human.Path(t.CA))
		}
	}
	if t.Cert != "" {
		pair, err := tls.LoadX509KeyPair(t.Cert, t.Key)
		if err != nil {
			return nil, fmt.Errorf("cannot use tls.cert %s with its key: %w", human.Path(t.Cert), err)
		}
		c.Certificates = []tls.Certificate{pair}
	}
	return c, nil
}

// RetryAfter reads the header of that name, seconds or a date (RFC 9110, 10.2.3): the wait it asks for, 0 to most; 0 where
// it asks for none.
func RetryAfter(value string, now time.Time, most time.Duration) time.Duration {
	if value == "" {
		return 0
	}
	d := time.Duration(0)
	if n, err := strconv.ParseInt(value, 10, 32); err == nil {
		d = time.Duration(n) * time.Second
	} else if at, err := http.ParseTime(value); err == nil {
		d = at.Sub(now)
	}
	return min(max(d, 0), most)
}
