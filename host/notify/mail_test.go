package notify

import (
	"bufio"
	"context"
	"crypto/tls"
	"encoding/base64"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"mime"
	"mime/quotedprintable"
	"net"
	"net/http/httptest"
	"net/mail"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"servicehost/spec"
)

// mailServer is a server for mail, as small as it can be.
type mailServer struct {
	t        *testing.T
	listener net.Listener
	config   *tls.Config // nil: it offers no TLS
	answers  map[string]string

	mu       sync.Mutex
	letters  []string
	commands []string
	users    []string
}

// newMailServer answers to commands, by their first words, as answers say: "RCPT TO:<bad@x>": "550 no such user";
// an empty answer cuts the connection. implicit is TLS from the first byte.
func newMailServer(t *testing.T, config *tls.Config, implicit bool, answers map[string]string) *mailServer {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := &mailServer{t: t, listener: l, config: config, answers: answers}
	var all sync.WaitGroup
	t.Cleanup(func() {
		l.Close()
		all.Wait()
	})
	all.Go(func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			all.Go(func() {
				defer c.Close()
				c.SetDeadline(time.Now().Add(20 * time.Second))
				if implicit {
					c = tls.Server(c, config)
				}
				s.serve(c, implicit)
			})
		}
	})
	return s
}

func (s *mailServer) serve(c net.Conn, secure bool) {
	in := bufio.NewReader(c)
	say := func(text string) { fmt.Fprintf(c, "%s\r\n", text) }
	say("220 mail.test ready")
	for {
		line, err := in.ReadString('\n')
		if err != nil {
			return
		}
		line = strings.TrimRight(line, "\r\n")
		s.mu.Lock()
		s.commands = append(s.commands, line)
		s.mu.Unlock()
		answer, special := "", false
		for begin, text := range s.answers {
			if strings.HasPrefix(line, begin) {
				answer, special = text, true
			}
		}
		verb, rest, _ := strings.Cut(line, " ")
		switch {
		case special && answer == "":
			return
		case special:
			say(answer)
		case verb == "EHLO":
			say("250-mail.test")
			if s.config != nil && !secure {
				say("250-STARTTLS")
			}
			if secure {
				say("250-AUTH PLAIN LOGIN")
			}
			say("250 8BITMIME")
		case verb == "STARTTLS":
			say("220 go on")
			t := tls.Server(c, s.config)
			if t.Handshake() != nil {
				return
			}
			c, secure, in = t, true, bufio.NewReader(t)
		case verb == "AUTH":
			_, token, _ := strings.Cut(rest, " ")
			plain, _ := base64.StdEncoding.DecodeString(token)
			s.mu.Lock()
			s.users = append(s.users, strings.ReplaceAll(string(plain), "\x00", "|"))
			s.mu.Unlock()
			if !strings.HasSuffix(string(plain), "\x00pass w0rd") {
				say("535 5.7.8 no: " + string(plain))
				continue
			}
			say("235 welcome")
		case verb == "DATA":
			say("354 go on")
			var letter strings.Builder
			for {
				l, err := in.ReadString('\n')
				if err != nil {
					return
				}
				if l == ".\r\n" {
					break
				}
				letter.WriteString(strings.TrimPrefix(l, "."))
			}
			s.mu.Lock()
			s.letters = append(s.letters, letter.String())
			s.mu.Unlock()
			if text, ok := s.answers["."]; ok {
				if text == "" {
					return
				}
				say(text)
				continue
			}
			say("250 2.0.0 taken")
		case verb == "QUIT":
			say("221 bye")
			return
		default:
			say("250 fine")
		}
	}
}

func (s *mailServer) mails() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.letters)
}

func (s *mailServer) said(begin string) (out []string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, c := range s.commands {
		if strings.HasPrefix(c, begin) {
			out = append(out, c)
		}
	}
	return out
}

// certificate is one of example.com and 127.0.0.1, and the file of its authority.
func certificate(t *testing.T) (*tls.Config, string) {
	t.Helper()
	s := httptest.NewTLSServer(nil)
	defer s.Close()
	ca := filepath.Join(t.TempDir(), "ca.pem")
	if err := os.WriteFile(ca, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: s.Certificate().Raw}), 0o600); err != nil {
		t.Fatal(err)
	}
	return &tls.Config{Certificates: s.TLS.Certificates}, ca
}

func (s *mailServer) mailer(change func(*spec.Notifier)) *mailer {
	n := spec.Notifier{Name: "mail", Timeout: 10 * time.Second, SMTP: &spec.SMTP{
		Server: s.listener.Addr().String(), From: "Services <host@example.com>", To: []string{"ops@example.com", "boss@example.com"}, StartTLS: "auto",
	}}
	if change != nil {
		change(&n)
	}
	return &mailer{Notifier: n, agent: "servicehost/1", secret: func(_ context.Context, s spec.Secret) (string, error) {
		if s.Env == "" {
			return "", errors.New("not set")
		}
		return s.Env, nil
	}}
}

func TestMailIsReadable(t *testing.T) {
	setLocal(t)
	s := newMailServer(t, nil, false, nil)
	as := examples()["several"]
	as[0].Host = "订单-01"
	if o := s.mailer(nil).send(t.Context(), as[:1]); o.err != nil {
		t.Fatal(o.err)
	}
	if got := s.said("RCPT"); !slices.Equal(got, []string{"RCPT TO:<ops@example.com>", "RCPT TO:<boss@example.com>"}) || len(s.said("MAIL FROM:<host@example.com>")) != 1 {
		t.Errorf("%q", got)
	}
	m, err := mail.ReadMessage(strings.NewReader(s.mails()[0]))
	if err != nil {
		t.Fatal(err)
	}
	subject, err := new(mime.WordDecoder).DecodeHeader(m.Header.Get("Subject"))
	if err != nil || subject != "[订单-01] api.2 has failed, 4 times" {
		t.Errorf("subject %q %v", subject, err)
	}
	for name, want := range map[string]string{
		"Message-Id": "<5f0c2b6f8e1a4d3c9b7e6a51.1@example.com>", "Auto-Submitted": "auto-generated", "From": `"Services" <host@example.com>`,
		"To": "<ops@example.com>, <boss@example.com>", "X-Alert": "orders-01/api.2/failed", "Content-Type": "text/plain; charset=UTF-8",
	} {
		if got := m.Header.Get(name); got != want {
			t.Errorf("%s: %q, want %q", name, got, want)
		}
	}
	if _, err := m.Header.Date(); err != nil {
		t.Error(err)
	}
	body, err := io.ReadAll(quotedprintable.NewReader(m.Body))
	if err != nil {
		t.Fatal(err)
	}
	golden(t, "mail-firing.txt", []byte(strings.ReplaceAll(string(body), "\r\n", "\n")))
	golden(t, "mail-several.txt", []byte(letterText(examples()["several"])))
}

func TestMailIsEncryptedWhereItCanBe(t *testing.T) {
	config, ca := certificate(t)
	user := func(n *spec.Notifier) {
		n.SMTP.User, n.SMTP.Password, n.TLS.CA = "bot", &spec.Secret{Env: "pass w0rd"}, ca
	}
	for what, c := range map[string]struct {
		config   *tls.Config
		change   func(*spec.Notifier)
		ok       bool
		starttls int
	}{
		"offered":                    {config, func(n *spec.Notifier) { n.TLS.CA = ca }, true, 1},
		"offered by somebody":        {config, nil, false, 1},
		"not offered":                {nil, nil, true, 0},
		"not offered, but wanted":    {nil, func(n *spec.Notifier) { n.SMTP.StartTLS = "always" }, false, 0},
		"offered, but unwanted":      {config, func(n *spec.Notifier) { n.SMTP.StartTLS = "never" }, true, 0},
		"not offered to a user":      {nil, user, false, 0},
		"offered to a user":          {config, user, true, 1},
		"offered under another name": {config, func(n *spec.Notifier) { n.TLS = spec.TargetTLS{CA: ca, ServerName: "other.test"} }, false, 1},
	} {
		s := newMailServer(t, c.config, false, nil)
		o := s.mailer(c.change).send(t.Context(), one())
		if (o.err == nil) != c.ok || o.final || len(s.said("STARTTLS")) != c.starttls || len(s.mails()) == 1 != c.ok {
			t.Errorf("%s: %+v, %q", what, o, s.commands)
		}
	}
}

func TestMailServerWithTLSFromTheFirstByte(t *testing.T) {
	config, ca := certificate(t)
	s := newMailServer(t, config, true, nil)
	m := s.mailer(func(n *spec.Notifier) {
		n.SMTP.User, n.SMTP.Password, n.TLS.CA = "bot", &spec.Secret{Env: "pass w0rd"}, ca
	})
	m.portTLS = m.SMTP.Server[strings.LastIndexByte(m.SMTP.Server, ':')+1:]
	if o := m.send(t.Context(), one()); o.err != nil {
		t.Fatal(o.err)
	}
	if len(s.mails()) != 1 || !slices.Equal(s.users, []string{"|bot|pass w0rd"}) {
		t.Errorf("%q %q", s.users, s.commands)
	}
}

func TestMailServersAnswerDecides(t *testing.T) {
	config, ca := certificate(t)
	for what, c := range map[string]struct {
		answers map[string]string
		final   bool
		says    string // empty: it went well
		letters int
	}{
		"all is well":               {nil, false, "", 1},
		"one is unknown":            {map[string]string{"RCPT TO:<ops@": "550 5.1.1 no such user"}, false, "", 1},
		"all are unknown":           {map[string]string{"RCPT": "550 5.1.1 no such user"}, true, "ops@example.com: the mail server answered 550: 5.1.1 no such user", 0},
		"the sender is refused":     {map[string]string{"MAIL": "553 not yours"}, true, "the mail server answered 553: not yours", 0},
		"greylisted":                {map[string]string{"RCPT": "451 4.7.1 come again"}, false, "451: 4.7.1 come again", 0},
		"too large":                 {map[string]string{".": "552 too much"}, true, "552: too much", 1},
		"busy":                      {map[string]string{"EHLO": "421 too many", "HELO": "421 too many"}, false, "421: too many", 0},
		"gone after it took it":     {map[string]string{"QUIT": ""}, false, "", 1},
		"gone before it said so":    {map[string]string{".": ""}, false, "EOF", 1},
		"gone in the middle":        {map[string]string{"MAIL": ""}, false, "EOF", 0},
		"it does not know the user": {map[string]string{"AUTH": "535 5.7.8 no such user or password: pass w0rd"}, false, "535: 5.7.8 no such user or password: ***", 0},
	} {
		s := newMailServer(t, config, false, c.answers)
		o := s.mailer(func(n *spec.Notifier) {
			n.SMTP.User, n.SMTP.Password, n.TLS.CA = "bot", &spec.Secret{Env: "pass w0rd"}, ca
		}).send(t.Context(), one())
		switch {
		case c.says == "" && o.err != nil, c.says != "" && (o.err == nil || !strings.Contains(o.err.Error(), c.says)), o.final != c.final, len(s.mails()) != c.letters:
			t.Errorf("%s: %+v with %d letters, %q", what, o, len(s.mails()), s.commands)
		}
	}
}

func TestSilentMailServerIsGivenUp(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0") // accepts, and says nothing
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	s := &mailServer{listener: l}
	m := s.mailer(func(n *spec.Notifier) { n.Timeout = 200 * time.Millisecond })
	began := time.Now()
	if o := m.send(t.Context(), one()); o.err == nil || o.err.Error() != "no answer within 200ms" || time.Since(began) > 5*time.Second {
		t.Errorf("%v after %v", o.err, time.Since(began))
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	m.Timeout = time.Minute
	if o := m.send(ctx, one()); o.err == nil || time.Since(began) > 5*time.Second {
		t.Errorf("%v after %v", o.err, time.Since(began))
	}
}
