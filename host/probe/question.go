package probe

import (
	"net/url"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"servicehost/host/human"
	"servicehost/spec"
)

// shortestPeriod keeps a wrong number from becoming a busy loop.
const shortestPeriod = 10 * time.Millisecond

// withDefaults fills in what a spec made by hand leaves out. Startup and liveness succeed with one success.
func withDefaults(p spec.Probe, r Role) spec.Probe {
	d := spec.DefaultProbe
	if p.Period <= 0 {
		p.Period = d.Period
	}
	p.Period = max(p.Period, shortestPeriod)
	if p.Timeout <= 0 {
		p.Timeout = d.Timeout
	}
	if p.SuccessThreshold <= 0 || r != Readiness {
		p.SuccessThreshold = d.SuccessThreshold
	}
	if p.FailureThreshold <= 0 {
		p.FailureThreshold = d.FailureThreshold
	}
	p.InitialDelay = max(p.InitialDelay, 0)
	return p
}

// sameQuestion reports whether two probes ask the same, however often.
func sameQuestion(a, b spec.Probe) bool {
	for _, p := range []*spec.Probe{&a, &b} {
		p.InitialDelay, p.Period, p.Timeout, p.SuccessThreshold, p.FailureThreshold = 0, 0, 0, 0, 0
	}
	return reflect.DeepEqual(a, b)
}

// newProber makes a probe that is not planned yet. One that can't be asked fails with the reason. Called with
// the lock of the Set held.
func newProber(w *Watch, r Role, given spec.Probe) *prober {
	p := &prober{watch: w, role: r, given: given, probe: withDefaults(given, r), index: -1}
	q := &p.probe
	port := func(s string) string { return strings.ReplaceAll(s, spec.AutoPort, strconv.Itoa(w.run.Port)) }
	q.HTTP, q.TCP, q.File = port(q.HTTP), port(q.TCP), port(q.File)
	if len(q.Exec) > 0 {
		q.Exec = slices.Clone(q.Exec)
		for n, s := range q.Exec {
			q.Exec[n] = port(s)
		}
	}
	switch {
	case q.HTTP != "":
		headers := make(map[string]string, len(q.Headers))
		for k, v := range q.Headers {
			headers[k] = port(v)
		}
		q.Headers, q.Body = headers, port(q.Body)
		p.be("http", shownURL(q.HTTP))
		p.asker = newHTTP(*q, &w.set.tls)
	case q.TCP != "":
		p.be("tcp", q.TCP)
		p.asker = newTCP(q.TCP)
	case len(q.Exec) > 0:
		p.be("exec", filepath.Base(q.Exec[0]))
		p.statusTarget = strings.Join(q.Exec, " ")
		p.asker = execAsker{w.run.Exec, q.Exec}
	case q.File != "":
		p.be("file", human.Path(q.File))
		f := &fileAsker{path: q.File, within: q.Period, busy: new(atomic.Bool)}
		if r == Startup {
			f.since = w.run.Started
		}
		p.asker = f
	case q.Log != "":
		p.be("log", strconv.Quote(q.Log))
		if _, err := regexp.Compile(q.Log); err != nil {
			p.asker = broken(err.Error())
			break
		}
		p.heart = &heart{}
	case q.Notify:
		p.kind, p.name = "notify", "notify"
		p.heart = &heart{}
	default:
		p.kind, p.name = "none", "probe"
		p.asker = broken("it asks nothing")
	}
	return p
}

func (p *prober) be(kind, target string) {
	p.kind, p.name, p.statusTarget = kind, kind+" "+target, target
}

// shownURL is an address without what may be a secret in it: the password and the query.
func shownURL(s string) string {
	u, err := url.Parse(s)
	if err != nil {
		s, _, _ = strings.Cut(s, "?")
		return human.Plain(s)
	}
	u.RawQuery, u.Fragment = "", ""
	return u.Redacted()
}

func text(d time.Duration) string { return human.Duration(d) }
