package forward

import (
	"bytes"
	"encoding/binary"
	"unicode/utf8"
)

// otlp writes ExportLogsServiceRequest of OTLP in protobuf: every receiver of OTLP over HTTP takes it, JSON only
// some. The message is six levels of fields that never change their numbers; the generated code for it would
// bring gRPC and the whole of protobuf into the program.
// https://github.com/open-telemetry/opentelemetry-proto/blob/main/opentelemetry/proto/logs/v1/logs.proto
type otlp struct {
	labels []byte // own ones and host.name, as attributes of a resource
	buf    []byte
}

const (
	wireFixed64 = 1
	wireBytes   = 2
)

func newOTLP(p peer) *otlp {
	o := &otlp{}
	own := false
	for _, label := range sortedLabels(p.Labels) {
		o.labels = appendAttribute(o.labels, 1, label[0], []byte(label[1]))
		own = own || label[0] == "host.name"
	}
	if !own {
		o.labels = appendAttribute(o.labels, 1, "host.name", []byte(p.host))
	}
	return o
}

func appendTag(dst []byte, field, wire int) []byte {
	return binary.AppendUvarint(dst, uint64(field<<3|wire))
}

// appendField appends a field of bytes, a text or a message.
func appendField[T string | []byte](dst []byte, field int, value T) []byte {
	dst = appendTag(dst, field, wireBytes)
	dst = binary.AppendUvarint(dst, uint64(len(value)))
	return append(dst, value...)
}

func appendFixed(dst []byte, field int, value uint64) []byte {
	return binary.LittleEndian.AppendUint64(appendTag(dst, field, wireFixed64), value)
}

// appendText appends a field that holds an AnyValue with a text.
func appendText(dst []byte, field int, text []byte) []byte {
	if !utf8.Valid(text) { // for which receivers refuse a whole request
		text = bytes.ToValidUTF8(text, []byte("\ufffd"))
	}
	size := 1 + uvarintSize(len(text)) + len(text)
	dst = appendTag(dst, field, wireBytes)
	dst = binary.AppendUvarint(dst, uint64(size))
	return appendField(dst, 1, text)
}

// appendAttribute appends a field that holds a KeyValue.
func appendAttribute(dst []byte, field int, key string, value []byte) []byte {
	pair := appendField(nil, 1, key)
	pair = appendText(pair, 2, value)
	return appendField(dst, field, pair)
}

func uvarintSize(n int) int {
	size := 1
	for ; n >= 0x80; n >>= 7 {
		size++
	}
	return size
}

var scope = appendField(nil, 1, "servicehost")

// streamAttributes are LogRecord.attributes by stream.
var streamAttributes = func() (a [len(streams)][]byte) {
	for n, name := range streams {
		a[n] = appendAttribute(nil, 6, "log.iostream", []byte(name))
	}
	return a
}()

func (o *otlp) encode(dst []byte, rs []record) []byte {
	for _, group := range grouped(rs, false) {
		scoped := appendField(o.buf[:0], 1, scope)
		var one []byte
		for _, r := range group {
			one = appendFixed(one[:0], 1, uint64(r.at))
			one = appendText(one, 5, r.text)
			one = append(one, streamAttributes[r.stream]...)
			one = appendFixed(one, 11, uint64(r.at))
			scoped = appendField(scoped, 2, one)
		}
		o.buf = scoped
		resource := appendAttribute(nil, 1, "service.name", group[0].service)
		resource = appendAttribute(resource, 1, "service.instance.id", group[0].appendID(nil))
		resource = append(resource, o.labels...)
		logs := appendField(nil, 1, resource)
		size := len(logs) + 1 + uvarintSize(len(scoped)) + len(scoped)
		dst = appendTag(dst, 1, wireBytes)
		dst = binary.AppendUvarint(dst, uint64(size))
		dst = append(dst, logs...)
		dst = appendField(dst, 2, scoped)
	}
	return dst
}

// partial reads ExportLogsServiceResponse: how many records were refused although the request was taken.
func (o *otlp) partial(b []byte) (refused int, why string) {
	message, ok := fieldOf(b, 1)
	if !ok {
		return 0, ""
	}
	text, _ := fieldOf(message, 2)
	n, _ := numberOf(message, 1)
	return int(min(n, 1<<30)), string(text)
}

// fieldOf finds a field of bytes, numberOf one that is a number.
func fieldOf(b []byte, field int) ([]byte, bool) {
	_, found, ok := find(b, field, wireBytes)
	return found, ok
}

func numberOf(b []byte, field int) (uint64, bool) {
	n, _, ok := find(b, field, 0)
	return n, ok
}

func find(b []byte, field, wire int) (n uint64, data []byte, ok bool) {
	for len(b) > 0 {
		tag, size := binary.Uvarint(b)
		if size <= 0 {
			return 0, nil, false
		}
		b = b[size:]
		var value uint64
		var content []byte
		switch tag & 7 {
		case 0, wireBytes:
			if value, size = binary.Uvarint(b); size <= 0 {
				return 0, nil, false
			}
			b = b[size:]
			if tag&7 == wireBytes {
				if value > uint64(len(b)) {
					return 0, nil, false
				}
				content, b = b[:value], b[value:]
			}
		case wireFixed64, 5:
			size = 8
			if tag&7 == 5 {
				size = 4
			}
			if len(b) < size {
				return 0, nil, false
			}
			b = b[size:]
		default:
			return 0, nil, false
		}
		if tag>>3 == uint64(field) && tag&7 == uint64(wire) {
			return value, content, true
		}
	}
	return 0, nil, false
}
