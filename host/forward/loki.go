package forward

import "strconv"

// loki writes requests of its push API.
// https://grafana.com/docs/loki/latest/reference/loki-http-api/#ingest-logs
type loki struct {
	labels []byte // own ones and host, as members of an object, a comma behind each
	own    map[string]bool
}

func newLoki(p peer) *loki {
	l := &loki{own: map[string]bool{}}
	add := func(name, value string) {
		if name = labelName(name); l.own[name] || value == "" {
			return
		}
		l.own[name] = true
		l.labels = appendString(l.labels, name)
		l.labels = append(l.labels, ':')
		l.labels = appendString(l.labels, value)
		l.labels = append(l.labels, ',')
	}
	for _, label := range sortedLabels(p.Labels) {
		add(label[0], label[1])
	}
	add("host", p.host)
	return l
}

// labelName is a name as Prometheus and Loki allow it.
func labelName(s string) string {
	b := []byte(s)
	for n, c := range b {
		letter := c == '_' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z'
		if !letter && (n == 0 || c < '0' || c > '9') {
			b[n] = '_'
		}
	}
	return string(b)
}

func (l *loki) encode(dst []byte, rs []record) []byte {
	dst = append(dst, `{"streams":[`...)
	for n, group := range grouped(rs, true) {
		if n > 0 {
			dst = append(dst, ',')
		}
		dst = append(dst, `{"stream":{`...)
		dst = append(dst, l.labels...)
		r := group[0]
		if !l.own["service"] {
			dst = appendString(append(dst, `"service":`...), r.service)
			dst = append(dst, ',')
		}
		if !l.own["instance"] {
			dst = append(dst, `"instance":"`...)
			dst = strconv.AppendInt(dst, int64(r.instance), 10)
			dst = append(dst, '"', ',')
		}
		if !l.own["stream"] {
			dst = appendString(append(dst, `"stream":`...), streams[r.stream])
			dst = append(dst, ',')
		}
		if dst[len(dst)-1] == ',' {
			dst = dst[:len(dst)-1]
		}
		dst = append(dst, `},"values":[`...)
		for n, r := range group {
			if n > 0 {
				dst = append(dst, ',')
			}
			dst = append(dst, `["`...)
			dst = strconv.AppendInt(dst, r.at, 10)
			dst = append(dst, `",`...)
			dst = appendString(dst, r.text)
			dst = append(dst, ']')
		}
		dst = append(dst, `]}`...)
	}
	return append(dst, `]}`...)
}
