package logs

import (
	"bytes"
	"encoding/binary"
	"errors"
	"unicode/utf8"

	"golang.org/x/text/encoding/unicode"
	"golang.org/x/text/transform"

	"servicehost/spec"
)

// decoder turns the bytes of one stream into UTF-8. How the stream is cut into chunks makes no
// difference to what comes out in all.
type decoder interface {
	// decode returns what of the stream is decoded with b: b itself, a part of it, or what it put into
	// out, which it may replace by something larger. Nothing of b is kept.
	decode(out *[]byte, b []byte) []byte
	// end is decode for what was kept, when nothing more comes.
	end(out *[]byte) []byte
	// settle is decode for what is kept only because the rest of the line may tell more about it.
	settle() []byte
	// unsettled reports whether settle has something to give.
	unsettled() bool
}

// newTransformer returns a decoder of one stream for some encoding.
type newTransformer func() transform.Transformer

// codec is what a spec says about encoding; nil leaves every byte as it is.
type codec struct {
	fresh newTransformer
	auto  bool              // only what is no UTF-8 is decoded
	plain func([]byte) bool // reports whether bytes at the beginning of a character decode to themselves
}

func (c *codec) decoder() decoder {
	switch {
	case c == nil:
		return nil
	case c.auto:
		return &autoDecoder{fresh: c.fresh}
	}
	return &namedDecoder{plain: c.plain, change: change{t: c.fresh()}}
}

// newCodec returns the codec for log.encoding. The system's own code page is nil where there is none.
func newCodec(name string, system func(kind string) newTransformer) *codec {
	switch name {
	case "", spec.EncodingAuto:
		if fresh := system(spec.EncodingOEM); fresh != nil {
			return &codec{fresh: fresh, auto: true}
		}
		return nil
	case spec.EncodingOEM, spec.EncodingANSI:
		if fresh := system(name); fresh != nil {
			return &codec{fresh: fresh, plain: plainFor(fresh)}
		}
		return nil
	}
	e := spec.Charset(name)
	if e == nil {
		return nil // the spec was refused
	}
	c := &codec{fresh: func() transform.Transformer { return e.NewDecoder().Transformer }}
	if c.plain = plainFor(c.fresh); e == unicode.UTF8 {
		c.plain = utf8.Valid
	}
	return c
}

// plainFor tries whether ASCII is ASCII in the encoding: it is neither in UTF-16 nor where a character
// switches tables.
func plainFor(fresh newTransformer) func([]byte) bool {
	var ascii [utf8.RuneSelf]byte
	for i := range ascii {
		ascii[i] = byte(i)
	}
	got, _, err := transform.Bytes(fresh(), ascii[:])
	if err != nil || !bytes.Equal(got, ascii[:]) {
		return func([]byte) bool { return false }
	}
	return isASCII
}

func isASCII(b []byte) bool {
	const high = 0x8080808080808080
	for len(b) >= 32 {
		if (binary.LittleEndian.Uint64(b)|binary.LittleEndian.Uint64(b[8:])|
			binary.LittleEndian.Uint64(b[16:])|binary.LittleEndian.Uint64(b[24:]))&high != 0 {
			return false
		}
		b = b[32:]
	}
	var all byte
	for _, c := range b {
		all |= c
	}
	return all < utf8.RuneSelf
}

// change feeds a transformer, which may ask for more bytes than a chunk has.
type change struct {
	t    transform.Transformer
	kept []byte // the beginning of a character
}

// add appends what b becomes to out; last says that nothing follows.
func (c *change) add(out, b []byte, last bool) []byte {
	if len(c.kept) > 0 {
		c.kept = append(c.kept, b...)
		b = c.kept
	}
	for {
		if cap(out)-len(out) < 2*len(b)+utf8.UTFMax {
			out = append(make([]byte, 0, 2*cap(out)+3*len(b)+utf8.UTFMax), out...)
		}
		n, used, err := c.t.Transform(out[len(out):cap(out)], b, last)
		out, b = out[:len(out)+n], b[used:]
		if errors.Is(err, transform.ErrShortDst) {
			continue
		}
		if err != nil && !errors.Is(err, transform.ErrShortSrc) || last {
			// Decoders have a mark for what they can't decode and fail for nothing; better no mark than no output.
			out, b = append(out, b...), nil
		}
		c.kept = keep(c.kept, b)
		return out
	}
}

// keep returns b in the memory of buf, unless that is more than a quiet stream should hold.
func keep(buf, b []byte) []byte {
	if cap(buf) > 2*undecided {
		buf = nil
	}
	return append(buf[:0], b...)
}

// namedDecoder is the decoder where the spec names the encoding.
type namedDecoder struct {
	change
	plain func([]byte) bool
	begun bool
}

func (d *namedDecoder) decode(out *[]byte, b []byte) []byte {
	if len(d.kept) == 0 && d.plain(b) {
		return d.unmarked(b)
	}
	*out = d.add((*out)[:0], b, false)
	return d.unmarked(*out)
}

func (d *namedDecoder) end(out *[]byte) []byte {
	*out = d.add((*out)[:0], nil, true)
	return d.unmarked(*out)
}

// unmarked drops the byte order mark from the beginning of the stream.
func (d *namedDecoder) unmarked(b []byte) []byte {
	if d.begun || len(b) == 0 {
		return b
	}
	d.begun = true
	return bytes.TrimPrefix(b, []byte("\ufeff"))
}

func (d *namedDecoder) settle() []byte  { return nil }
func (d *namedDecoder) unsettled() bool { return false }
