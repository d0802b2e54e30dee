package forward

import "strconv"

// lineTime sorts as text.
const lineTime = "2006-01-02T15:04:05.000000000Z"

// lines writes one JSON object a line, with the fields of log.format: json and host and own labels besides.
type lines struct {
	head, tail []byte
	own        map[string]bool
}

func newLines(p peer) *lines {
	l := &lines{own: map[string]bool{}}
	for _, label := range sortedLabels(p.Labels) {
		l.own[label[0]] = true
		l.tail = append(l.tail, ',')
		l.tail = appendString(l.tail, label[0])
		l.tail = append(l.tail, ':')
		l.tail = appendString(l.tail, label[1])
	}
	l.tail = append(l.tail, '}', '\n')
	if !l.own["host"] {
		l.head = appendString([]byte(`,"host":`), p.host)
	}
	return l
}

func (l *lines) encode(dst []byte, rs []record) []byte {
	for _, r := range rs {
		dst = append(dst, `{"time":"`...)
		dst = r.time().UTC().AppendFormat(dst, lineTime)
		dst = append(dst, '"')
		dst = append(dst, l.head...)
		if !l.own["service"] {
			dst = append(dst, `,"service":`...)
			dst = appendString(dst, r.service)
		}
		if !l.own["instance"] {
			dst = append(dst, `,"instance":`...)
			dst = strconv.AppendInt(dst, int64(r.instance), 10)
		}
		if !l.own["stream"] {
			dst = append(dst, `,"stream":"`...)
			dst = append(dst, streams[r.stream]...)
			dst = append(dst, '"')
		}
		dst = append(dst, `,"line":`...)
		dst = appendString(dst, r.text)
		dst = append(dst, l.tail...)
	}
	return dst
}
