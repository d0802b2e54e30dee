package forward

import (
	"strconv"
	"strings"
)

// syslog writes messages of RFC 5424; encode frames them for TCP and TLS by counting octets (RFC 6587, RFC 5425).
type syslog struct {
	facility int
	host     string
	labels   []byte // own ones, as parameters
	buf      []byte
}

// facilities by the numbers of RFC 5424.
var facilities = map[string]int{"user": 1, "daemon": 3, "local0": 16, "local1": 17, "local2": 18, "local3": 19, "local4": 20, "local5": 21, "local6": 22, "local7": 23}

const (
	severityWarning = 4
	severityInfo    = 6
	// dataID names our structured data. 32473 is the number that RFC 5612 gives to those who have none.
	dataID = "host@32473"
)

func newSyslog(p peer) *syslog {
	s := &syslog{facility: facilities["daemon"], host: printable(p.host, 255)}
	if f, ok := facilities[p.Facility]; ok {
		s.facility = f
	}
	for _, label := range sortedLabels(p.Labels) {
		s.labels = appendParameter(s.labels, printable(label[0], 32), label[1])
	}
	return s
}

// printable is a word as the head of a message allows it; the names of parameters exclude three more.
func printable(s string, most int) string {
	s = strings.Map(func(r rune) rune {
		if r <= ' ' || r > '~' || r == '=' || r == ']' || r == '"' {
			return '_'
		}
		return r
	}, s)
	if s == "" {
		return "-"
	}
	return s[:min(len(s), most)]
}

func appendParameter(dst []byte, name, value string) []byte {
	dst = append(dst, ' ')
	dst = append(dst, name...)
	dst = append(dst, '=', '"')
	for _, r := range value {
		if r == '"' || r == '\\' || r == ']' {
			dst = append(dst, '\\')
		}
		dst = append(dst, string(r)...)
	}
	return append(dst, '"')
}

// message appends one message, without a mark of UTF-8 before its text: most receivers show it.
func (s *syslog) message(dst []byte, r record) []byte {
	severity := severityInfo
	if r.stream == streamErr {
		severity = severityWarning
	}
	dst = append(dst, '<')
	dst = strconv.AppendInt(dst, int64(s.facility*8+severity), 10)
	dst = append(dst, ">1 "...)
	dst = r.time().UTC().AppendFormat(dst, "2006-01-02T15:04:05.000000Z")
	dst = append(dst, ' ')
	dst = append(dst, s.host...)
	dst = append(dst, ' ')
	dst = append(dst, r.service[:min(len(r.service), 48)]...)
	dst = append(dst, " - "...)
	dst = append(dst, streams[r.stream]...)
	dst = append(dst, " ["+dataID+` instance="`...)
	dst = strconv.AppendInt(dst, int64(r.instance), 10)
	dst = append(dst, `" stream="`...)
	dst = append(dst, streams[r.stream]...)
	dst = append(dst, '"')
	dst = append(dst, s.labels...)
	dst = append(dst, ']', ' ')
	return append(dst, r.text...)
}

func (s *syslog) encode(dst []byte, rs []record) []byte {
	for _, r := range rs {
		s.buf = s.message(s.buf[:0], r)
		dst = strconv.AppendInt(dst, int64(len(s.buf)), 10)
		dst = append(dst, ' ')
		dst = append(dst, s.buf...)
	}
	return dst
}
