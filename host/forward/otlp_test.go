package forward

import (
	"encoding/binary"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"servicehost/spec"
)

// pb prints a message of protobuf field by field; nested says which fields, by path, are messages.
func pb(t *testing.T, b []byte, path string, nested map[string]bool) string {
	t.Helper()
	var out []string
	for len(b) > 0 {
		tag, n := binary.Uvarint(b)
		if n <= 0 {
			t.Fatalf("%s: bad tag", path)
		}
		b = b[n:]
		at := fmt.Sprintf("%s.%d", path, tag>>3)
		switch tag & 7 {
		case wireFixed64:
			out = append(out, fmt.Sprintf("%d:%d", tag>>3, binary.LittleEndian.Uint64(b)))
			b = b[8:]
		case wireBytes:
			size, n := binary.Uvarint(b)
			if n <= 0 || size > uint64(len(b)-n) {
				t.Fatalf("%s: bad length", at)
			}
			content := b[n : n+int(size)]
			b = b[n+int(size):]
			if nested[at] {
				out = append(out, fmt.Sprintf("%d{%s}", tag>>3, pb(t, content, at, nested)))
			} else {
				out = append(out, fmt.Sprintf("%d:%s", tag>>3, content))
			}
		default:
			t.Fatalf("%s: wire type %d", at, tag&7)
		}
	}
	return strings.Join(out, " ")
}

func TestOTLPIsTheMessageOfTheProtocol(t *testing.T) {
	s := newServer(t, false, nil)
	if o := transportOf(t, newPeer(spec.TargetOTLP, s.URL+"/")).send(t.Context(), someRecords(t)); o.err != nil || o.done != 4 {
		t.Fatalf("%+v", o)
	}
	r := s.got[0]
	if r.path != "/v1/logs" || r.header.Get("Content-Type") != "application/x-protobuf" {
		t.Errorf("%s %v", r.path, r.header)
	}
	nested := map[string]bool{}
	for _, p := range []string{"1", "1.1", "1.1.1", "1.1.1.2", "1.2", "1.2.1", "1.2.2", "1.2.2.5", "1.2.2.6", "1.2.2.6.2"} {
		nested["."+p] = true
	}
	got := pb(t, r.body, "", nested)
	own := `1{1:a b 2{1:x"y}} 1{1:env 2{1:prod}} 1{1:host.name 2{1:orders-01}}`
	want := `1{1{1{1:service.name 2{1:api}} 1{1:service.instance.id 2{1:api.2}} ` + own + `} ` +
		`2{1{1:servicehost} 2{1:1700000000123456789 5{1:one "quoted" \ 中} 6{1:log.iostream 2{1:stdout}} 11:1700000000123456789} ` +
		`2{1:1700000000123456791 5{1:bad ` + "\ufffd" + ` byte} 6{1:log.iostream 2{1:stderr}} 11:1700000000123456791} ` +
		`2{1:1700000000123456792 5{1:} 6{1:log.iostream 2{1:stdout}} 11:1700000000123456792}}} ` +
		`1{1{1{1:service.name 2{1:web}} 1{1:service.instance.id 2{1:web}} ` + own + `} ` +
		"2{1{1:servicehost} 2{1:1700000000123456790 5{1:two\nlines} 6{1:log.iostream 2{1:stdout}} 11:1700000000123456790}}}"
	if got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

func TestOTLPCountsWhatWasRefusedInPart(t *testing.T) {
	var message []byte
	message = binary.AppendUvarint(appendTag(message, 1, 0), 3)
	message = appendField(message, 2, "too old")
	body := appendField(nil, 1, message)
	s := newServer(t, false, func(_ int, _ request, w http.ResponseWriter) {
		if _, err := w.Write(body); err != nil {
			t.Error(err)
		}
	})
	o := transportOf(t, newPeer(spec.TargetOTLP, s.URL)).send(t.Context(), someRecords(t))
	if o.err != nil || o.done != 4 || o.refused != 3 || o.why != "too old" {
		t.Errorf("%+v", o)
	}
}

func FuzzOTLPAnswer(f *testing.F) {
	f.Add(appendField(nil, 1, appendField([]byte{8, 3}, 2, "why")))
	f.Add([]byte{0x0a, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1})
	f.Fuzz(func(t *testing.T, b []byte) {
		if n, _ := (&otlp{}).partial(b); n < 0 {
			t.Error("negative")
		}
	})
}
