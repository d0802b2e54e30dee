package logs

import "time"

// Record is one line of output, or several that log.multiline joined.
type Record struct {
	Time     time.Time // when the end of its first line was read
	Service  string
	Instance int
	ID       string // of the instance: the service, or service.instance
	Stream   string // stdout, stderr; stdout where both share one pipe; host for what the host says
	// Text has no line end behind it and is valid only during the call.
	Text []byte
}

// Sink takes records to a place beside the file. Take is called by the streams of services, from many
// goroutines at a time: it must not block, and must not keep r.Text.
type Sink interface{ Take(r Record) }

// AppendJSON appends text as log.format: json writes it, without the quotes around it.
func AppendJSON(dst, text []byte) []byte { return appendJSON(dst, text) }
