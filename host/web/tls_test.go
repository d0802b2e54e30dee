package web

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"net/http"
	"net/url"
	"os"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"servicehost/host/control"
	"servicehost/host/journal"
	"servicehost/spec"
)

// authority signs certificates.
type authority struct {
	t    *testing.T
	cert *x509.Certificate
	key  *ecdsa.PrivateKey
	pem  string
}

var serial atomic.Int64

func newAuthority(t *testing.T, name string) *authority {
	t.Helper()
	a := &authority{t: t}
	a.cert = &x509.Certificate{Subject: pkix.Name{CommonName: name}, IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign}
	a.pem, _, a.key = a.issue(a.cert)
	block, _ := pem.Decode([]byte(a.pem))
	var err error
	if a.cert, err = x509.ParseCertificate(block.Bytes); err != nil {
		t.Fatal(err)
	}
	return a
}

// issue completes and signs a certificate; one without an authority signs itself.
func (a *authority) issue(c *x509.Certificate) (cert, key string, private *ecdsa.PrivateKey) {
	a.t.Helper()
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		a.t.Fatal(err)
	}
	c.SerialNumber = big.NewInt(serial.Add(1))
	c.NotBefore, c.NotAfter = time.Now().Add(-time.Hour), time.Now().Add(time.Hour)
	parent, signer := a.cert, a.key
	if signer == nil {
		parent, signer = c, private
	}
	der, err := x509.CreateCertificate(rand.Reader, c, parent, &private.PublicKey, signer)
	if err != nil {
		a.t.Fatal(err)
	}
	kder, err := x509.MarshalECPrivateKey(private)
	if err != nil {
		a.t.Fatal(err)
	}
	return string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})),
		string(pem.EncodeToMemory(&pem.Block{Type: "EC PRIVATE KEY", Bytes: kder})), private
}

// certs writes a certificate for these names, and its key.
func (r *rig) certs(names ...string) spec.HTTPTLS {
	r.t.Helper()
	a := &authority{t: r.t}
	cert, key, _ := a.issue(&x509.Certificate{Subject: pkix.Name{CommonName: names[0]}, DNSNames: names, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}})
	return spec.HTTPTLS{Cert: r.file("cert.pem", cert), Key: r.file("key.pem", key)}
}

// atLoopback is an address that is served everywhere, as this machine reaches it.
func atLoopback(base string) string {
	return "https://127.0.0.1" + base[strings.LastIndexByte(base, ':'):]
}

func TestOldTLSIsRefusedAndHTTP2Spoken(t *testing.T) {
	r := newRig(t)
	at := atLoopback(r.serve(spec.HTTP{Listen: "127.0.0.1:0", TLS: r.certs("ops.example"), Tokens: r.tokens()}))
	old := plainClient()
	old.Transport.(*http.Transport).TLSClientConfig = &tls.Config{InsecureSkipVerify: true, MinVersion: tls.VersionTLS10, MaxVersion: tls.VersionTLS11}
	if _, err := trySend(t.Context(), old, "GET", at+"/healthz", ""); err == nil || !strings.Contains(err.Error(), "protocol version") {
		t.Errorf("TLS 1.1: %v", err)
	}
	if a := r.get(at + "/healthz"); a.status != 200 || a.proto != "HTTP/2.0" {
		t.Errorf("%d over %s", a.status, a.proto)
	}
}

// served is the first name of the certificate that is shown.
func served(t *testing.T, at string) string {
	t.Helper()
	c, err := tls.Dial("tcp", strings.TrimPrefix(at, "https://"), &tls.Config{InsecureSkipVerify: true})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	return c.ConnectionState().PeerCertificates[0].DNSNames[0]
}

func TestReplacedCertificateIsServed(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	at := atLoopback(r.serve(spec.HTTP{Listen: "127.0.0.1:0", TLS: r.certs("old.example")}))
	if name := served(t, at); name != "old.example" {
		t.Fatal(name)
	}
	r.certs("new.example")
	eventually(t, "the new certificate", func() bool { return served(t, at) == "new.example" })
	r.file("key.pem", "no key")
	eventually(t, "a warning", func() bool {
		served(t, at)
		select {
		case e := <-r.told:
			return e.Kind == journal.Warning && strings.Contains(e.Reason, "goes on with the certificate that it has")
		default:
			return false
		}
	})
	if name := served(t, at); name != "new.example" {
		t.Errorf("with a broken key %s is served", name)
	}
	certs := r.s.now.certs
	certs.mu.Lock()
	certs.looked = time.Time{} // due again, and what was said once must not be said again
	certs.mu.Unlock()
	served(t, at)
	select {
	case e := <-r.told:
		t.Errorf("told again: %s", e.Reason)
	default:
	}
}

func TestClientCertificateIsNeededAndMayRead(t *testing.T) {
	r := newRig(t)
	c := r.certs("ops.example")
	trusted, other := newAuthority(t, "ours"), newAuthority(t, "theirs")
	c.ClientCA = r.file("ca.pem", trusted.pem)
	base := r.serve(spec.HTTP{Listen: "0.0.0.0:0", TLS: c})
	at := atLoopback(base)
	if _, err := trySend(t.Context(), plainClient(), "GET", at+"/healthz", ""); err == nil {
		t.Error("no certificate was asked for")
	}
	client := func(a *authority, name string) *http.Client {
		cert, key, _ := a.issue(&x509.Certificate{Subject: pkix.Name{CommonName: name}, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}})
		pair, err := tls.X509KeyPair([]byte(cert), []byte(key))
		if err != nil {
			t.Fatal(err)
		}
		c := plainClient()
		c.Transport.(*http.Transport).TLSClientConfig.Certificates = []tls.Certificate{pair}
		return c
	}
	if _, err := trySend(t.Context(), client(other, "li.wei"), "GET", at+"/healthz", ""); err == nil {
		t.Error("a certificate of a stranger is good")
	}
	good := client(trusted, "li.wei")
	r.send(good, "GET", at+"/metrics", "").want(t, "metrics", 200)
	if a := r.send(good, "GET", at+"/api/v1/session", ""); !strings.Contains(a.body, `"user":"web:cert:li.wei","role":"read"`) {
		t.Errorf("session: %s", a.body)
	}
	r.send(good, "POST", at+"/api/v1/act", `{"verb":"stop","names":["api"]}`, with("X-Host-Action", "1")).want(t, "act", 403)
}

func TestCertificateThatIsNotThereIsTriedAgain(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	c := r.certs("ops.example")
	if err := os.Rename(c.Key, c.Key+".not"); err != nil {
		t.Fatal(err)
	}
	r.s.Apply(spec.HTTP{Listen: "127.0.0.1:0", TLS: c})
	if why := r.event(journal.Warning); !strings.Contains(why, "tls.key") {
		t.Errorf("told: %s", why)
	}
	if err := os.Rename(c.Key+".not", c.Key); err != nil {
		t.Fatal(err)
	}
	r.get(atLoopback(strings.TrimSuffix(r.event(journal.Listening), ", at last"))+"/healthz").want(t, "healthz", 200)
}

func TestLinkLeadsToANameOfTheCertificate(t *testing.T) {
	machine, err := os.Hostname()
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct{ listen, cert, want string }{
		{"127.0.0.1:0", "localhost", "localhost"},
		{"127.0.0.1:0", "ops.example", "127.0.0.1"}, // the browser warns, but gets there
		{"0.0.0.0:0", "ops.example", "ops.example"},
		{"0.0.0.0:0", machine, machine},
	} {
		r := newRig(t)
		r.serve(spec.HTTP{Listen: tt.listen, TLS: r.certs(tt.cert), Tokens: r.tokens()})
		l, err := r.s.Link("ops", control.Act)
		if err != nil {
			t.Fatal(err)
		}
		u, err := url.Parse(l.URL)
		if err != nil || u.Scheme != "https" || u.Hostname() != tt.want || u.Path != "/login" {
			t.Errorf("%s with %s: %s", tt.listen, tt.cert, l.URL)
		}
	}
}
