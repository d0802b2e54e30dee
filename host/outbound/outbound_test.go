package outbound

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"math/big"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"servicehost/spec"
)

func TestRetryAfterIsSecondsOrADate(t *testing.T) {
	now := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	const most = 10 * time.Minute
	for text, want := range map[string]time.Duration{
		"": 0, "0": 0, "120": 2 * time.Minute, "-5": 0, "soon": 0, "99999": most, "Fri, 02 Jan 2026 03:05:05 GMT": time.Minute,
		"Fri, 02 Jan 2026 03:00:05 GMT": 0,
	} {
		if got := RetryAfter(text, now, most); got != want {
			t.Errorf("%q is %v, want %v", text, got, want)
		}
	}
}

// pair writes a certificate and its key.
func pair(t *testing.T) (cert, key string) {
	t.Helper()
	k, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), NotAfter: time.Now().Add(time.Hour)}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &k.PublicKey, k)
	if err != nil {
		t.Fatal(err)
	}
	private, err := x509.MarshalECPrivateKey(k)
	if err != nil {
		t.Fatal(err)
	}
	write := func(name, kind string, b []byte) string {
		path := filepath.Join(t.TempDir(), name)
		if err := os.WriteFile(path, pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: b}), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	return write("cert.pem", "CERTIFICATE", der), write("key.pem", "EC PRIVATE KEY", private)
}

func TestTLSIsAsTheSpecSays(t *testing.T) {
	cert, key := pair(t)
	c, err := TLS(spec.TargetTLS{CA: cert, Cert: cert, Key: key, Insecure: true}, "logs.example.com")
	if err != nil {
		t.Fatal(err)
	}
	if c.ServerName != "logs.example.com" || !c.InsecureSkipVerify || c.RootCAs == nil || len(c.Certificates) != 1 || c.MinVersion != tls.VersionTLS12 {
		t.Errorf("%+v", c)
	}
	if c, err = TLS(spec.TargetTLS{ServerName: "other"}, "logs.example.com"); err != nil || c.ServerName != "other" || c.InsecureSkipVerify || c.RootCAs != nil {
		t.Errorf("%+v, %v", c, err)
	}
}

func TestTLSNamesTheFileThatIsWrong(t *testing.T) {
	cert, key := pair(t)
	for want, of := range map[string]spec.TargetTLS{
		"cannot read tls.ca":            {CA: cert + ".gone"},
		"holds no certificate in PEM":   {CA: key},
		"cannot use tls.cert \"" + cert: {Cert: cert, Key: cert},
	} {
		if _, err := TLS(of, "x"); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want %q", err, want)
		}
	}
}
