package notify

import (
	"cmp"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	netmail "net/mail"
	"net/textproto"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/wneessen/go-mail"
	"github.com/wneessen/go-mail/smtp"

	"servicehost/host/human"
	"servicehost/host/outbound"
	"servicehost/spec"
)

// mailer sends by mail.
type mailer struct {
	spec.Notifier
	agent  string
	secret func(context.Context, spec.Secret) (string, error)
	// portTLS has TLS from the first byte; empty: 465, as RFC 8314 has it.
	portTLS string
}

func (m *mailer) most() int     { return 50 }
func (m *mailer) where() string { return "smtp://" + m.SMTP.Server }

func (m *mailer) send(ctx context.Context, as []Alert) outcome {
	ctx, cancel := context.WithTimeout(ctx, m.Timeout)
	defer cancel()
	letter, err := m.letter(as)
	if err != nil {
		return refused("cannot write the mail: %w", err)
	}
	password := ""
	if m.SMTP.Password != nil {
		if password, err = m.secret(ctx, *m.SMTP.Password); err != nil {
			return outcome{err: err}
		}
	}
	o := m.deliver(ctx, letter, password)
	if o.err != nil {
		o.err = timedOut(ctx, o.err, m.Timeout)
		if password != "" && strings.Contains(o.err.Error(), password) {
			o.err = errors.New(strings.ReplaceAll(o.err.Error(), password, "***"))
		}
	}
	return o
}

// deliver makes one connection and hands over the letter. What comes after the server took it is no failure: it
// would be sent twice.
func (m *mailer) deliver(ctx context.Context, letter *mail.Msg, password string) outcome {
	opened := make(chan net.Conn, 1)
	defer func() {
		select {
		case c := <-opened: // the library leaves it open where the greeting fails
			c.Close()
		default:
		}
	}()
	client, err := m.client(ctx, password, opened)
	if err != nil {
		return outcome{err: err}
	}
	c, err := client.DialToSMTPClientWithContext(ctx)
	if err != nil {
		return judge(fmt.Errorf("cannot sign in at the mail server: %w", err), false)
	}
	taken, o := m.recipients(c)
	if o.err != nil && taken == 0 {
		return o
	}
	w, err := c.Data()
	if err != nil {
		return judge(err, true)
	}
	if _, err := letter.WriteTo(w); err != nil {
		return judge(err, true)
	}
	if err := w.Close(); err != nil {
		return judge(err, true)
	}
	_ = c.Quit() // it has the letter
	return outcome{}
}

// recipients says who it is for. One that is refused is no reason to leave out the others.
func (m *mailer) recipients(c *smtp.Client) (taken int, o outcome) {
	if err := c.Mail("<" + bare(m.SMTP.From) + ">"); err != nil {
		return 0, judge(err, true)
	}
	for _, to := range m.SMTP.To {
		err := c.Rcpt("<" + bare(to) + ">")
		if err == nil {
			taken++
		} else if o.err == nil {
			o = judge(fmt.Errorf("%s: %w", to, err), true)
		}
	}
	return taken, o
}

func (m *mailer) client(whole context.Context, password string, opened chan<- net.Conn) (*mail.Client, error) {
	host, port, err := net.SplitHostPort(m.SMTP.Server)
	if err != nil {
		return nil, err
	}
	number, err := strconv.Atoi(port)
	if err != nil {
		return nil, err
	}
	implicit := port == cmp.Or(m.portTLS, "465")
	config, err := outbound.TLS(m.TLS, host)
	if err != nil {
		return nil, err
	}
	options := []mail.Option{mail.WithPort(number), mail.WithTimeout(m.Timeout), mail.WithTLSConfig(config), mail.WithoutNoop()}
	dial := func(ctx context.Context, network, address string) (net.Conn, error) {
		c, err := (&net.Dialer{}).DialContext(ctx, network, address)
		if err != nil {
			return nil, err
		}
		opened <- c
		context.AfterFunc(whole, func() { _ = c.SetDeadline(time.Unix(1, 0)) }) // a closed one needs none
		if implicit {
			t := tls.Client(c, config)
			return t, t.HandshakeContext(ctx)
		}
		return c, nil
	}
	options = append(options, mail.WithDialContextFunc(dial))
	switch {
	case implicit:
		options = append(options, mail.WithSSL())
	case m.SMTP.StartTLS == "never":
		options = append(options, mail.WithTLSPolicy(mail.NoTLS))
	case m.SMTP.StartTLS == "always" || m.SMTP.User != "":
		options = append(options, mail.WithTLSPolicy(mail.TLSMandatory))
	default:
		options = append(options, mail.WithTLSPolicy(mail.TLSOpportunistic))
	}
	if m.SMTP.User != "" {
		options = append(options, mail.WithUsername(m.SMTP.User), mail.WithPassword(password),
			mail.WithOpportunisticSMTPAuth(mail.SMTPAuthSCRAMSHA256, mail.SMTPAuthSCRAMSHA1, mail.SMTPAuthPlain, mail.SMTPAuthLogin, mail.SMTPAuthCramMD5))
	}
	return mail.NewClient(host, options...)
}

// letter is the message. Its ID is made of those of the alerts: a server that gets it again can know.
func (m *mailer) letter(as []Alert) (*mail.Msg, error) {
	l := mail.NewMsg()
	if err := l.From(m.SMTP.From); err != nil {
		return nil, err
	}
	if err := l.To(m.SMTP.To...); err != nil {
		return nil, err
	}
	l.Subject(human.Plain(strings.ReplaceAll(heading(as), "\n", " ")))
	_, domain, _ := strings.Cut(bare(m.SMTP.From), "@")
	l.SetMessageIDWithValue(as[0].ID + "." + strconv.Itoa(len(as)) + "@" + domain)
	l.SetDateWithValue(time.Now())
	l.SetUserAgent(m.agent)
	l.SetGenHeader("Auto-Submitted", "auto-generated") // RFC 3834: out-of-office replies are not wanted
	l.SetGenHeader("X-Alert", as[0].Alert)
	l.SetBodyString(mail.TypeTextPlain, letterText(as))
	return l, nil
}

func letterText(as []Alert) string {
	var b strings.Builder
	for n, a := range as {
		if n > 0 {
			b.WriteString("\n--\n\n")
		}
		fmt.Fprintf(&b, "%s\n\n%s\n", human.Plain(a.Title), paragraphs(a, false))
		if l := lines(a, 1); len(l) > 0 {
			fmt.Fprintf(&b, "\nLast lines of its output:\n\n  %s\n", strings.Join(l, "\n  "))
		}
		fmt.Fprintf(&b, "\nHost %s, message %s\n", a.Host, a.ID)
	}
	return b.String()
}

// bare is an address without the name in front of it.
func bare(address string) string {
	if a, err := netmail.ParseAddress(address); err == nil {
		return a.Address
	}
	return address
}

// judge tells a refusal for good (5xx) from what may pass. What the server says of its own greeting and sign-in is
// never about the message.
func judge(err error, ofMessage bool) outcome {
	o := outcome{err: err}
	if e, ok := errors.AsType[*textproto.Error](err); ok {
		o.final = ofMessage && e.Code >= 500
		o.err = fmt.Errorf("the mail server answered %d: %s", e.Code, clip(human.Plain(strings.ReplaceAll(e.Msg, "\n", " ")), 200))
		if !slices.Contains([]string{"", err.Error()}, e.Error()) {
			if before, _, ok := strings.Cut(err.Error(), e.Error()); ok && before != "" {
				o.err = fmt.Errorf("%s%w", before, o.err)
			}
		}
	}
	return o
}
