package journal

import (
	"encoding/json"
	"maps"
	"slices"
	"strconv"
)

// appendEvent appends an event as encoding/json writes it, which is what reads it back. A host that starts or stops a
// thousand services writes thousands at once: this allocates nothing, and the stack of the caller stays shallow.
func appendEvent(b []byte, e *Event) ([]byte, error) {
	b = strconv.AppendUint(append(b, `{"seq":`...), e.Seq, 10)
	var err error
	if b, err = e.Time.AppendText(append(b, `,"time":"`...)); err != nil {
		return b, err
	}
	b = appendString(append(b, `","kind":`...), string(e.Kind))
	b = appendText(b, `,"service":`, e.Service)
	b = appendInt(b, `,"instance":`, int64(e.Instance))
	b = appendText(b, `,"id":`, e.ID)
	if e.Incarnation != 0 {
		b = strconv.AppendUint(append(b, `,"incarnation":`...), e.Incarnation, 10)
	}
	b = appendText(b, `,"from":`, e.From)
	b = appendText(b, `,"to":`, e.To)
	b = appendText(b, `,"reason":`, e.Reason)
	b = appendText(b, `,"actor":`, e.Actor)
	b = appendInt(b, `,"pid":`, int64(e.PID))
	if x := e.Exit; x != nil {
		b = strconv.AppendInt(append(b, `,"exit":{"code":`...), int64(x.Code), 10)
		b = appendText(b, `,"signal":`, x.Signal)
		b = appendText(b, `,"status":`, x.Status)
		b = appendText(b, `,"text":`, x.Text)
		b = appendInt(b, `,"uptime_ns":`, int64(x.Uptime))
		b = append(appendInt(b, `,"peak_memory_bytes":`, x.PeakMemory), '}')
	}
	if len(e.Details) > 0 {
		b = append(b, `,"details":`...)
		sep := byte('{')
		for _, k := range slices.Sorted(maps.Keys(e.Details)) {
			b = append(appendString(append(b, sep), k), ':')
			b = appendString(b, e.Details[k])
			sep = ','
		}
		b = append(b, '}')
	}
	return append(b, '}'), nil
}

func appendText(b []byte, name, text string) []byte {
	if text == "" {
		return b
	}
	return appendString(append(b, name...), text)
}

func appendInt(b []byte, name string, n int64) []byte {
	if n == 0 {
		return b
	}
	return strconv.AppendInt(append(b, name...), n, 10)
}

func appendString(b []byte, text string) []byte {
	for i := range len(text) {
		switch c := text[i]; {
		case c < ' ', c >= 0x7f, c == '"', c == '\\', c == '<', c == '>', c == '&':
			quoted, _ := json.Marshal(text) // no string fails
			return append(b, quoted...)
		}
	}
	return append(append(append(b, '"'), text...), '"')
}
