package forward

import (
	"bytes"
	"encoding/binary"
	"errors"
	"strconv"
	"time"

	"servicehost/host/logs"
)

// record is one record as it is read back. Its slices share memory with the chunk that it is in.
type record struct {
	at       int64 // nanoseconds since 1970
	instance int
	stream   byte // an index of streams
	numbered bool // the id is service.instance, not the service alone
	service  []byte
	text     []byte
}

// streams are the streams of records; host is what the host itself says in a log.
var streams = [...]string{"stdout", "stderr", "host"}

const (
	streamErr    = 1
	streamMask   = 3
	flagNumbered = 4
)

// maxText bounds the text of one record; streams join and cut lines far below it.
const maxText = 1 << 20

// cutMark stands behind a text that was too long.
const cutMark = " [cut]"

// recordHead is the most that a record takes beside its texts.
const recordHead = 8 + 1 + 2*binary.MaxVarintLen64 + 1

var errRecord = errors.New("a record in the spool is damaged")

// appendRecord appends r in the form that chunks hold, at being the time that it is given.
func appendRecord(dst []byte, r logs.Record, at int64) []byte {
	var flags byte
	for n, name := range streams {
		if r.Stream == name {
			flags = byte(n)
		}
	}
	if r.ID != r.Service {
		flags |= flagNumbered
	}
	service, text := r.Service[:min(len(r.Service), 255)], r.Text
	mark := ""
	if len(text) > maxText {
		text, mark = text[:maxText-len(cutMark)], cutMark
	}
	dst = binary.LittleEndian.AppendUint64(dst, uint64(at))
	dst = append(dst, flags)
	dst = binary.AppendUvarint(dst, uint64(max(0, r.Instance)))
	dst = append(dst, byte(len(service)))
	dst = append(dst, service...)
	dst = binary.AppendUvarint(dst, uint64(len(text)+len(mark)))
	dst = append(dst, text...)
	return append(dst, mark...)
}

// cutRecord takes the first record off a chunk.
func cutRecord(b []byte) (r record, rest []byte, err error) {
	if len(b) < 9 {
		return r, nil, errRecord
	}
	r.at = int64(binary.LittleEndian.Uint64(b))
	r.stream, r.numbered = b[8]&streamMask, b[8]&flagNumbered != 0
	if int(r.stream) >= len(streams) {
		return r, nil, errRecord
	}
	b = b[9:]
	instance, n := binary.Uvarint(b)
	if n <= 0 || instance > 1<<30 || len(b) < n+1 {
		return r, nil, errRecord
	}
	r.instance = int(instance)
	size := int(b[n])
	if b = b[n+1:]; len(b) < size {
		return r, nil, errRecord
	}
	r.service, b = b[:size:size], b[size:]
	length, n := binary.Uvarint(b)
	if n <= 0 || length > maxText || uint64(len(b)-n) < length {
		return r, nil, errRecord
	}
	b = b[n:]
	r.text = b[:length:length]
	return r, b[length:], nil
}

// appendRecords appends the records of a chunk. Those before damage are kept.
func appendRecords(dst []record, chunk []byte) ([]record, error) {
	for len(chunk) > 0 {
		r, rest, err := cutRecord(chunk)
		if err != nil {
			return dst, err
		}
		dst, chunk = append(dst, r), rest
	}
	return dst, nil
}

// appendID appends the id of the instance.
func (r record) appendID(dst []byte) []byte {
	dst = append(dst, r.service...)
	if r.numbered {
		dst = append(dst, '.')
		dst = strconv.AppendInt(dst, int64(r.instance), 10)
	}
	return dst
}

func (r record) time() time.Time { return time.Unix(0, r.at) }

// source is what records of one instance, or of one stream of it, have in common.
type source struct {
	service  string
	instance int
	stream   byte
}

// grouped puts records of one instance together, or of one stream of it, in their order.
func grouped(rs []record, byStream bool) [][]record {
	index := map[source]int{}
	var groups [][]record
	n := 0
	for i, r := range rs {
		if i == 0 || r.instance != rs[i-1].instance || byStream && r.stream != rs[i-1].stream || !bytes.Equal(r.service, rs[i-1].service) {
			key := source{string(r.service), r.instance, 0}
			if byStream {
				key.stream = r.stream
			}
			var ok bool
			if n, ok = index[key]; !ok {
				n = len(groups)
				index[key] = n
				groups = append(groups, nil)
			}
		}
		groups[n] = append(groups[n], r)
	}
	return groups
}

// bytesOf is what records count as, in requests and statistics: their texts.
func bytesOf(rs []record) int64 {
	n := int64(0)
	for _, r := range rs {
		n += int64(len(r.text))
	}
	return n
}
