package forward

import (
	"crypto/tls"
	"crypto/x509"
	"fmt"
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
