package notify

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"net"
	"os"

	"servicehost/host/human"
	"servicehost/spec"
)

// tlsConfig reads the files anew, so that certificates can be replaced while the host runs.
func tlsConfig(t spec.TargetTLS, host string) (*tls.Config, error) {
	c := &tls.Config{ServerName: host, InsecureSkipVerify: t.Insecure, MinVersion: tls.VersionTLS12}
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
		cert, err := tls.LoadX509KeyPair(t.Cert, t.Key)
		if err != nil {
			return nil, fmt.Errorf("cannot use tls.cert %s with its key: %w", human.Path(t.Cert), err)
		}
		c.Certificates = []tls.Certificate{cert}
	}
	return c, nil
}

// encrypted speaks TLS on a connection.
func encrypted(ctx context.Context, c net.Conn, config *tls.Config) (net.Conn, error) {
	t := tls.Client(c, config)
	if err := t.HandshakeContext(ctx); err != nil {
		return nil, err
	}
	return t, nil
}
