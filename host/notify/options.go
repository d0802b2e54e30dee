package notify

import (
	"context"
	"time"

	"servicehost/host/journal"
	"servicehost/spec"
)

// Options of New. All are needed.
type Options struct {
	Host    string // its name
	Version string
	Journal Journal
	Store   Store
	// Dir is a private folder, for what programs read.
	Dir string
	// Secret finds a secret when it is needed.
	Secret func(context.Context, spec.Secret) (string, error)
	// Run runs a program until nothing is left of it, at most as long as ctx.
	Run func(ctx context.Context, p Program) error
	// Standing is how a service is now: events say what changed, and this what came of it.
	Standing func(service string, instance int) Standing
	// SpecStanding is how the files stand now.
	SpecStanding func() SpecStanding
	// Tell publishes an event.
	Tell func(journal.Event)

	dial func(spec.Notifier) sender // for tests; nil: what the spec says
}

// Journal is where what is told comes from; *journal.Journal is one.
type Journal interface {
	Follow(ctx context.Context, q journal.Query, send func(journal.Event) error) error
	Recent(n int) []journal.Event
}

// Store keeps records over a restart of the host; *state.Store is one.
type Store interface {
	Put(key string, v any) error
	Get(key string, v any) (bool, error)
	Delete(key string) error
	Keys(prefix string) []string
}

// Standing is how a service is.
type Standing struct {
	Known bool // the spec names it
	// Well: nothing needs an operator, and Text says how it is.
	Well bool
	Text string
	// RolledBack: it runs the spec that worked before.
	RolledBack bool
}

// SpecStanding is how the files stand.
type SpecStanding struct{ Rejected, Pending bool }

// Kind of a notifier.
type Kind string

// The kinds.
const (
	KindWebhook Kind = "webhook"
	KindSMTP    Kind = "smtp"
	KindExec    Kind = "exec"
)

// Stats are of one notifier. Counts are since the host started, in messages.
type Stats struct {
	Name     string
	Kind     Kind
	Template spec.Template // of a webhook
	State    string        // ok or trouble
	Since    time.Time     // of the state
	Reason   string        // of the trouble
	Sent     int64
	Failed   int64 // given up
	Waiting  int64
}

// The states of Stats.
const (
	StateOK      = "ok"
	StateTrouble = "trouble"
)

// TestResult is what became of a test message.
type TestResult struct {
	Name     string
	Kind     Kind
	Err      error // never with a secret
	Duration time.Duration
}

func kindOf(n spec.Notifier) Kind {
	switch {
	case n.SMTP != nil:
		return KindSMTP
	case len(n.Exec) > 0:
		return KindExec
	}
	return KindWebhook
}

func (o *Options) senders() func(spec.Notifier) sender {
	if o.dial != nil {
		return o.dial
	}
	return o.sender
}

func (o *Options) sender(n spec.Notifier) sender {
	agent := "servicehost/" + o.Version
	switch kindOf(n) {
	case KindSMTP:
		return &mailer{Notifier: n, agent: agent, secret: o.Secret}
	case KindExec:
		return &program{Notifier: n, dir: o.Dir, run: o.Run}
	case KindWebhook:
	}
	return &webhook{Notifier: n, template: templateOf(n.Template), agent: agent, secret: o.Secret}
}
