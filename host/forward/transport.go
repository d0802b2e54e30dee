package forward

import (
	"context"
	"net/url"

	"servicehost/spec"
)

// transport speaks to one target. It is used by one goroutine at a time.
type transport interface {
	// send hands over records. It returns when all are done, or none more can be now.
	send(ctx context.Context, rs []record) outcome
	// owes reports whether there is something to be sent again although send was through with it.
	owes() bool
	// rest gives back memory while nothing is sent.
	rest()
	close()
}

// peer is what a transport needs to know.
type peer struct {
	spec.LogTarget
	url    *url.URL
	host   string // the name of this host
	agent  string
	secret func(context.Context, spec.Secret) (string, error)
	// ring is called when owes has become true.
	ring func()
}

func newTransport(p peer) (transport, error) {
	u, err := url.Parse(p.URL)
	if err != nil {
		return nil, err
	}
	p.url = u
	switch u.Scheme {
	case "udp":
		return &datagrams{peer: p, enc: newSyslog(p)}, nil
	case "tcp", "tls":
		if p.Type == spec.TargetSyslog {
			return &stream{peer: p, enc: newSyslog(p)}, nil
		}
		return &stream{peer: p, enc: newLines(p)}, nil
	}
	t := &web{peer: p}
	switch p.Type {
	case spec.TargetOTLP:
		t.enc, t.kind, t.path = newOTLP(p), "application/x-protobuf", "/v1/logs"
	case spec.TargetLoki:
		t.enc, t.kind, t.path = newLoki(p), "application/json", "/loki/api/v1/push"
	default:
		t.enc, t.kind = newLines(p), "application/x-ndjson"
	}
	return t, nil
}

// encoder puts records into the form of a protocol.
type encoder interface {
	encode(dst []byte, rs []record) []byte
}
