package spec

import (
	"fmt"
	"maps"
	"net"
	"net/mail"
	"net/url"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
)

// notifyKeys are the keys of an element of notify. All are live.
var notifyKeys = []key{
	{path: "name", kind: kindText, def: "kind and place, such as webhook.1", class: "live", doc: "Name for messages, and for host notify test."},
	{path: "webhook", kind: kindWebhook, def: "none", class: "live", doc: "Address that gets each message by POST, http or https; or, as it is often a secret, where it is found: {file}, {env}, {exec}, {dpapi} or {credential}."},
	{path: "smtp", kind: kindGroup, class: "live", doc: "Mail."},
	{path: "smtp.server", kind: kindText, def: "required", class: "live", doc: "host:port; port 465 is TLS from the first byte."},
	{path: "smtp.from", kind: kindText, def: "required", class: "live", doc: "Address of the sender."},
	{path: "smtp.to", kind: kindMail, def: "required", class: "live", doc: "Addresses that get it."},
	{path: "smtp.user", kind: kindText, def: "none", class: "live", doc: "User to sign in as."},
	{path: "smtp.password", kind: kindSecret, def: "none", class: "live", doc: "His password: {file}, {env}, {exec}, {dpapi} or {credential}."},
	{path: "smtp.starttls", kind: kindEnum, enum: []string{"auto", "always", "never"}, def: "auto", class: "live", doc: "auto encrypts where the server offers it, and always with a user."},
	{path: "exec", kind: kindArgv, def: "none", class: "live", doc: "Program that gets each message as JSON on standard input, and HOST_* variables."},
	{path: "on", kind: kindEnums, enum: []string{"failed", "unhealthy", "rolled_back", "reload_rejected", "threshold", "recovered", "exited", "reload", "pending", "limit", "host_started", "host_stopped"},
		def: "[failed, unhealthy, rolled_back, reload_rejected, threshold, recovered]", class: "live", doc: "What is told (docs/notify.md)."},
	{path: "services", kind: kindTexts, def: "all, and the host", class: "live", doc: "Services that are told of."},
	{path: "template", kind: kindEnum, enum: []string{"generic", "slack", "dingtalk", "wecom", "feishu"}, def: "generic", class: "live", doc: "Shape of the message of a webhook."},
	{path: "secret", kind: kindSecret, def: "none", class: "live", doc: "Signs the messages of dingtalk and feishu, and of generic in X-Signature-256."},
	{path: "token", kind: kindSecret, def: "none", class: "live", doc: "Bearer token of a webhook."},
	{path: "headers", kind: kindPairs, def: "none", class: "live", doc: "Further headers of a webhook."},
	{path: "tls", kind: kindGroup, class: "live", doc: "How the receiver is trusted."},
	{path: "tls.ca", kind: kindPath, def: "those of the system", class: "live", doc: "Certificates of the authorities that are trusted, PEM."},
	{path: "tls.cert", kind: kindPath, def: "none", class: "live", doc: "Certificate to show, PEM."},
	{path: "tls.key", kind: kindPath, def: "none", class: "live", doc: "Its key, PEM."},
	{path: "tls.server_name", kind: kindText, def: "that of the address", class: "live", doc: "Name that the receiver's certificate must have."},
	{path: "tls.insecure", kind: kindBool, def: "false", class: "live", doc: "Takes any certificate."},
	{path: "timeout", kind: kindDuration, def: "10s", class: "live", doc: "Of one try."},
	{path: "group", kind: kindDuration, def: "5m", class: "live", doc: "How long more of the same are collected, once the first was told."},
}

var notifySection = sync.OnceValue(func() *section { return newSection(notifyKeys, reflect.TypeFor[Notifier]()) })

// defaultNotifier and defaultSMTP hold the built-in values.
var (
	defaultNotifier = Notifier{
		On:       []AlertEvent{AlertFailed, AlertUnhealthy, AlertRolledBack, AlertReloadRejected, AlertThreshold, AlertRecovered},
		Template: TemplateGeneric, Timeout: 10 * time.Second, Group: 5 * time.Minute,
	}
	defaultSMTP = SMTP{StartTLS: "auto"}
)

// serviceRef is a name that has to be one of a service, and where it stands.
type serviceRef struct {
	name, path string
	at         *node
}

// decodeNotify decodes the section notify.
func (l *loader) decodeNotify(root *node, s *Spec) {
	n, _ := root.get("notify")
	if n == nil || n.kind == nullNode {
		return
	}
	d := &decoder{l: l, scope: &scope{l: l}, section: notifySection(), others: elsewhereNotify, path: []string{"notify"}}
	names := map[string]bool{}
	d.elements(n, "{webhook: \"https://…\"}", func(i int, item *node) {
		before := len(l.problems)
		out, base := defaultNotifier, defaultNotifier
		d.group(item, d.section.root, reflect.ValueOf(&out).Elem(), reflect.ValueOf(&base).Elem())
		for _, ref := range out.Services {
			at, _ := item.get("services")
			l.notified = append(l.notified, serviceRef{ref, strings.Join(d.path, ".") + ".services", at})
		}
		if len(l.problems) == before {
			targetCheck{d, item, item}.notifier(&out, i+1, names)
		}
		s.Notify = append(s.Notify, out)
	})
}

// checkNotified refuses names of services that there are not.
func (l *loader) checkNotified(sd *serviceDecoder) {
	for _, ref := range l.notified {
		if sd.entries[ref.name] != nil {
			continue
		}
		hint := ""
		if bare, _, ok := strings.Cut(ref.name, "."); ok && sd.entries[bare] != nil {
			hint = fmt.Sprintf("name the service %q; all its instances are meant", bare)
		} else if names := slices.Sorted(maps.Keys(sd.entries)); l.mayHint(len(names)) {
			if near := nearest(ref.name, names); near != "" {
				hint = fmt.Sprintf("did you mean %q?", near)
			}
		}
		l.problemAt(ref.at, ref.path, "there is no service "+quote(ref.name), hint)
	}
}

// webhook decodes an address, or where it is found. What stands there is not shown: it may be the secret.
func (d *decoder) webhook(n *node) (*WebhookURL, bool) {
	if n.kind == mapNode {
		secret, ok := d.secret(n)
		return &WebhookURL{Secret: secret}, ok
	}
	if n.kind != scalarNode {
		d.problem(n, "must be an address, or where it is found, found %s", n.describe())
		return nil, false
	}
	s, ok := d.text(n)
	if !ok {
		return nil, false
	}
	u, err := url.Parse(s)
	if err != nil || u.Hostname() == "" || u.Scheme != "http" && u.Scheme != "https" {
		d.fail(n, words("it begins with https:// or http://; or say where it is found: {file: secrets/hook}", "is no http or https address"))
		return nil, false
	}
	return &WebhookURL{URL: s}, true
}

// addresses decodes mail addresses, or one.
func (d *decoder) addresses(n *node) []string {
	items := n.items
	if n.kind != listNode {
		items = []*node{n}
	}
	var out []string
	for _, item := range items {
		if s, ok := d.text(item); ok {
			if _, err := mail.ParseAddress(s); err != nil {
				d.fail(item, words("for example ops@example.com", "%s is no mail address", quote(s)))
			}
			out = append(out, s)
		}
	}
	return out
}

// notifier checks one element of notify and gives it a name; names are those of the ones before.
func (c targetCheck) notifier(n *Notifier, place int, names map[string]bool) {
	var kinds []string
	for kind, there := range map[string]bool{"webhook": n.Webhook != nil, "smtp": n.SMTP != nil, "exec": len(n.Exec) > 0} {
		if there {
			kinds = append(kinds, kind)
		}
	}
	slices.Sort(kinds)
	if len(kinds) != 1 {
		message := "needs one of webhook, smtp, exec"
		if len(kinds) > 1 {
			message = "has " + strings.Join(kinds, " and ") + ": each is an element of its own"
		}
		c.fail(c.at, words("", "%s", message))
		return
	}
	kind := kinds[0]
	if n.Name == "" {
		n.Name = kind + "." + strconv.Itoa(place)
	} else if err := checkName(n.Name, "notifier"); err != nil {
		message, hint := errorWords(err)
		c.refuse(true, "name", hint, "%s", message)
	}
	c.refuse(names[n.Name], "name", "", "there is a notifier %s already", quote(n.Name))
	names[n.Name] = true
	c.refuse(n.Timeout <= 0, "timeout", "", "must be more than 0")
	for _, key := range []string{"template", "secret", "token", "headers", "tls"} {
		v, _ := c.at.get(key)
		c.refuse(v != nil && v.kind != nullNode && kind != "webhook" && (key != "tls" || kind != "smtp"), key, "", "is nothing that %s has", kind)
	}
	c.refuse((n.TLS.Cert == "") != (n.TLS.Key == ""), "tls", "", "cert and key belong together")
	switch kind {
	case "webhook":
		signed := n.Template == TemplateGeneric || n.Template == TemplateDingTalk || n.Template == TemplateFeishu
		c.refuse(n.Secret != nil && !signed, "secret", "generic, dingtalk and feishu are signed", "%s has no signature", n.Template)
		c.refuse(n.TLS != (TargetTLS{}) && strings.HasPrefix(strings.ToLower(n.Webhook.URL), "http:"), "tls", "", "http is not encrypted")
		for _, name := range slices.Sorted(maps.Keys(n.Headers)) {
			c.refuse(secretHeader(name), "headers", "use token: the file is no place for secrets", "%s is a secret", quote(name))
		}
	case "smtp":
		at, _ := c.at.get("smtp")
		c.push("smtp")
		targetCheck{c.decoder, at, at}.smtp(n.SMTP)
		c.pop()
	}
}

func (c targetCheck) smtp(m *SMTP) {
	c.refuse(m.Server == "", "server", "for example smtp.example.com:587", "the server is missing")
	host, port, err := net.SplitHostPort(m.Server)
	number, numErr := strconv.Atoi(port)
	c.refuse(m.Server != "" && (err != nil || host == "" || numErr != nil || number < 1 || number > 65535), "server", "for example smtp.example.com:587",
		"%s is not host:port", quote(m.Server))
	if m.From == "" {
		c.refuse(true, "from", "", "the sender is missing")
	} else if _, err := mail.ParseAddress(m.From); err != nil {
		c.refuse(true, "from", "for example host@example.com", "%s is no mail address", quote(m.From))
	}
	c.refuse(len(m.To) == 0, "to", "", "nobody would get it")
	c.refuse((m.Password != nil) != (m.User != ""), "password", "", "user and password belong together")
	c.refuse(m.User != "" && m.StartTLS == "never" && port != "465" && !loopback(m.Server), "starttls", "use auto", "the password would be sent for everybody to read")
}
