package logs

import (
	"bytes"
	"strconv"
	"time"

	"servicehost/spec"
)

// stampForm sorts as text, and all stamps are as long.
const stampForm = "2006-01-02T15:04:05.000Z"

// layout writes the records of one stream. What stands before a text is made once for each millisecond.
type layout struct {
	json  bool
	head  []byte // before a text
	more  []byte // before its second line and all further ones, in text; nil: there are none
	at    int    // of the stamp in head
	ms    int64  // of the stamp in head, Unix
	begun bool
}

// newLayout returns nil for raw. Only with joined are there records of several lines.
func newLayout(format spec.LogFormat, id, stream string, joined bool) *layout {
	service, instance := splitID(id)
	switch format {
	case spec.FormatText:
		f := &layout{head: []byte(stampForm + " " + stream + " " + id + " | ")}
		if joined {
			f.more = bytes.Clone(f.head)
			f.more[len(f.more)-2] = '+'
		}
		return f
	case spec.FormatJSON:
		f := &layout{json: true, head: []byte(`{"time":"`)}
		f.at = len(f.head)
		f.head = appendJSON(append(f.head, stampForm+`","service":"`...), []byte(service))
		f.head = strconv.AppendInt(append(f.head, `","instance":`...), int64(instance), 10)
		f.head = append(f.head, `,"stream":"`+stream+`","line":"`...)
		return f
	}
	return nil
}

// append appends a record with its line end to dst.
func (f *layout) append(dst []byte, at time.Time, text []byte) []byte {
	f.stamp(at)
	return f.appendStamped(dst, text)
}

// appendStamped is append for a record of the time that was stamped last.
func (f *layout) appendStamped(dst, text []byte) []byte {
	dst = append(dst, f.head...)
	if f.json {
		return append(appendJSON(dst, text), '"', '}', '\n')
	}
	for f.more != nil {
		i := bytes.IndexByte(text, '\n')
		if i < 0 {
			break
		}
		dst = append(append(dst, text[:i+1]...), f.more...)
		text = text[i+1:]
	}
	return append(append(dst, text...), '\n')
}

func (f *layout) stamp(at time.Time) {
	ms := at.UnixMilli()
	if ms == f.ms && f.begun {
		return
	}
	f.begun, f.ms = true, ms
	copy(f.head[f.at:], at.UTC().AppendFormat(make([]byte, 0, len(stampForm)), stampForm))
	copy(f.more, f.head[:min(len(f.more), len(stampForm))])
}

// hostLine appends what the host itself has to say in a log of some format.
func hostLine(dst []byte, format spec.LogFormat, id string, at time.Time, text string) []byte {
	if f := newLayout(format, id, streamHost, false); f != nil {
		return f.append(dst, at, []byte(text))
	}
	return append(append(dst, text...), '\n')
}
