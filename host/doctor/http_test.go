package doctor

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"math/big"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

// certificate writes one that is good for as long, and its key.
func certificate(t *testing.T, dir string, good time.Duration) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	c := &x509.Certificate{SerialNumber: big.NewInt(1), NotBefore: time.Now().Add(-30 * 24 * time.Hour), NotAfter: time.Now().Add(good), DNSNames: []string{"ops.example"}}
	der, err := x509.CreateCertificate(rand.Reader, c, c, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	kder, err := x509.MarshalECPrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	for name, block := range map[string]*pem.Block{"cert.pem": {Type: "CERTIFICATE", Bytes: der}, "key.pem": {Type: "EC PRIVATE KEY", Bytes: kder}} {
		if err := os.WriteFile(filepath.Join(dir, name), pem.EncodeToMemory(block), 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

// ofHTTP are the findings about host.http. Whether others may read the files of a test depends on the system.
func ofHTTP(all []Finding) []Finding {
	return slices.DeleteFunc(all, func(f Finding) bool { return !strings.HasPrefix(f.Subject, "host.http") })
}

func TestDashboardBeyondLoopbackIsFound(t *testing.T) {
	services := "services:\n  api: {command: [EXE]}\n"
	wantFindings(t, examine(t, "host: {http: {listen: '127.0.0.1:9180'}}\n"+services, nil))
	wantFindings(t, examine(t, "host: {http: {listen: '[::1]:9180'}}\n"+services, nil))
	dir := t.TempDir()
	certificate(t, dir, 90*24*time.Hour)
	text := "host: {http: {listen: '0.0.0.0:9443', tls: {cert: cert.pem, key: key.pem}, tokens: [{name: ops, role: act, file: token}]}}\n" + services
	beyond := Finding{Warning, "host.http.listen", "the dashboard on 0.0.0.0:9443 is reached from other machines", "127.0.0.1"}
	wantFindings(t, ofHTTP(examineIn(t, dir, text, nil)), Finding{Error, "host.http.tokens.ops", "is not there", ""}, beyond)
	if err := os.WriteFile(filepath.Join(dir, "token"), []byte("0123456789abcdef0123456789abcdef"), 0o600); err != nil {
		t.Fatal(err)
	}
	wantFindings(t, ofHTTP(examineIn(t, dir, text, nil)), beyond)
}

func TestCertificateThatEndsIsFound(t *testing.T) {
	dir := t.TempDir()
	text := "host: {http: {listen: '127.0.0.1:9443', tls: {cert: cert.pem, key: key.pem}}}\nservices:\n  api: {command: [EXE]}\n"
	certificate(t, dir, 3*24*time.Hour)
	wantFindings(t, ofHTTP(examineIn(t, dir, text, nil)), Finding{Warning, "host.http.tls.cert", "is over in ", "replace the file"})
	certificate(t, dir, -48*time.Hour)
	wantFindings(t, ofHTTP(examineIn(t, dir, text, nil)), Finding{Error, "host.http.tls.cert", "is over since", "replace the file"})
	if err := os.WriteFile(filepath.Join(dir, "key.pem"), []byte("no key"), 0o600); err != nil {
		t.Fatal(err)
	}
	wantFindings(t, ofHTTP(examineIn(t, dir, text, nil)), Finding{Error, "host.http.tls", "can't be used with its key", ""})
}
