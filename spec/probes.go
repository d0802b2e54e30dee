package spec

import (
	"net"
	"net/url"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"sync"
)

// probeKeys are the keys of a probe. All are live: the next round asks the new question.
var probeKeys = []key{
	{path: "http", kind: kindText, def: "none", class: "live", doc: "Address that is asked, http or https; a status of 200 to 399 is a success."},
	{path: "tcp", kind: kindText, def: "none", class: "live", doc: "host:port that takes a connection."},
	{path: "exec", kind: kindArgv, def: "none", class: "live", doc: "Program that ends with 0, run as the service is and in its environment."},
	{path: "log", kind: kindPattern, def: "none", class: "live", doc: "Regular expression that a line of the output matches; for liveness within each period."},
	{path: "file", kind: kindPath, def: "none", class: "live", doc: "File that was written within the period: a heartbeat."},
	{path: "notify", kind: kindBool, def: "false", class: "live", doc: "The service tells by sd_notify: READY=1, and for liveness WATCHDOG=1 within each period."},
	{path: "method", kind: kindText, def: "GET", class: "live", doc: "Method of http."},
	{path: "headers", kind: kindPairs, def: "none", class: "live", doc: "Headers of http."},
	{path: "status", kind: kindStatus, def: "200-399", class: "live", doc: "Status codes of http that are a success: 200, 200-399, or a list of these."},
	{path: "body", kind: kindPattern, def: "none", class: "live", doc: "Regular expression that the first 64KiB of the answer must match."},
	{path: "tls", kind: kindGroup, class: "live", doc: "How the address is trusted."},
	{path: "tls.ca", kind: kindPath, def: "those of the system", class: "live", doc: "Certificates of the authorities that are trusted, PEM."},
	{path: "tls.cert", kind: kindPath, def: "none", class: "live", doc: "Certificate to show, PEM."},
	{path: "tls.key", kind: kindPath, def: "none", class: "live", doc: "Its key, PEM."},
	{path: "tls.server_name", kind: kindText, def: "that of the address", class: "live", doc: "Name that the certificate must have."},
	{path: "tls.insecure", kind: kindBool, def: "false", class: "live", doc: "Takes any certificate."},
	{path: "initial_delay", kind: kindDuration, def: "0s", class: "live", doc: "Wait before the first round."},
	{path: "period", kind: kindDuration, def: "10s", class: "live", doc: "Between the beginnings of two rounds."},
	{path: "timeout", kind: kindDuration, def: "1s", class: "live", doc: "A round that takes longer has failed."},
	{path: "success_threshold", kind: kindInt, min: 1, max: 1000, def: "1", class: "live", doc: "Successes in a row after which it counts as a success; 1 for startup and liveness."},
	{path: "failure_threshold", kind: kindInt, min: 1, max: 100_000, def: "3", class: "live", doc: "Failures in a row after which it counts as a failure."},
}

var probeSection = sync.OnceValue(func() *section { return newSection(probeKeys, reflect.TypeFor[Probe]()) })

// questions are the keys of which a probe has one.
var questions = []string{"http", "tcp", "exec", "log", "file", "notify"}

// probe decodes one probe of health.
func (d *decoder) probe(n *node, role string) (*Probe, bool) {
	p, base := DefaultProbe, DefaultProbe
	inner := *d
	inner.draft, inner.section, inner.others = nil, probeSection(), elsewhereProbe
	before := len(d.l.problems)
	inner.group(n, inner.section.root, reflect.ValueOf(&p).Elem(), reflect.ValueOf(&base).Elem())
	if len(d.l.problems) > before {
		return nil, false
	}
	targetCheck{&inner, n, n}.probe(&p, role)
	return &p, len(d.l.problems) == before
}

func (c targetCheck) probe(p *Probe, role string) {
	var asked []string
	for _, q := range questions {
		if v, _ := c.at.get(q); v != nil && v.kind != nullNode && (q != "notify" || p.Notify) {
			asked = append(asked, q)
		}
	}
	if len(asked) != 1 {
		message := "needs one of " + strings.Join(questions, ", ")
		if len(asked) > 1 {
			message = "has " + strings.Join(asked, " and ") + ": a probe asks one question"
		}
		c.fail(c.at, words("", "%s", message))
		return
	}
	portless := func(s string) string { return strings.ReplaceAll(s, AutoPort, "1") }
	switch asked[0] {
	case "http":
		u, err := url.Parse(portless(p.HTTP))
		bad := err != nil || u.Hostname() == "" || u.Scheme != "http" && u.Scheme != "https"
		c.refuse(bad, "http", "for example http://127.0.0.1:8080/ready", "%s is no http or https address", quote(strings.ReplaceAll(p.HTTP, AutoPort, "${PORT}")))
		if !bad {
			c.refuse(u.User != nil, "http", "the file is no place for secrets", "holds a user")
			c.refuse(p.TLS != (TargetTLS{}) && u.Scheme != "https", "tls", "", "http is not encrypted")
		}
		c.refuse((p.TLS.Cert == "") != (p.TLS.Key == ""), "tls", "", "cert and key belong together")
	case "tcp":
		host, port, err := net.SplitHostPort(portless(p.TCP))
		number, numErr := strconv.Atoi(port)
		c.refuse(err != nil || host == "" || numErr != nil || number < 1 || number > 65535, "tcp", "for example 127.0.0.1:5432",
			"%s is not host:port", quote(strings.ReplaceAll(p.TCP, AutoPort, "${PORT}")))
	}
	if asked[0] != "http" {
		for _, name := range []string{"method", "headers", "status", "body", "tls"} {
			v, _ := c.at.get(name)
			c.refuse(v != nil && v.kind != nullNode, name, "", "is of http only")
		}
	}
	c.refuse(p.Period <= 0, "period", "", "must be more than 0")
	c.refuse(p.Timeout <= 0, "timeout", "", "must be more than 0")
	c.refuse(role != "readiness" && p.SuccessThreshold != 1, "success_threshold", "one success is enough to have started, or to live", "must be 1 for %s", role)
}

// status decodes status codes: 200, 200-399, or a list of these.
func (d *decoder) status(n *node) []StatusRange {
	var out []StatusRange
	for _, s := range d.texts(n) {
		from, to, isRange := strings.Cut(s, "-")
		a, err := strconv.Atoi(strings.TrimSpace(from))
		b := a
		if isRange && err == nil {
			b, err = strconv.Atoi(strings.TrimSpace(to))
		}
		if err != nil || a < 100 || b > 599 || a > b {
			d.problem(n, "%s is no status, nor a range such as 200-399", quote(s))
			return nil
		}
		out = append(out, StatusRange{a, b})
	}
	slices.SortFunc(out, func(x, y StatusRange) int { return x.From - y.From })
	return out
}

// argv decodes a program and its arguments; one with a separator in its name is below the folder of the file.
func (d *decoder) argv(n *node) []string {
	before := len(d.l.problems)
	out := slices.Clone(d.command(n))
	if len(out) == 0 || out[0] == "" {
		if len(d.l.problems) == before {
			d.problem(n, "is empty")
		}
		return nil
	}
	if style := d.l.paths; style.hasSeparator(out[0]) && !style.isAbs(out[0]) {
		out[0] = style.abs(n.src.dir, out[0])
	}
	return out
}
