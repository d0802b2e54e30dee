// Package jsonl is the form in which the host keeps what must survive a crash: one JSON object a
// line, each with a checksum, so that a line that was torn by a kill or a full disk is noticed and a
// person can still read the file. It is a leaf and knows neither folders nor what the lines mean.
package jsonl

import (
	"bufio"
	"bytes"
	"encoding/hex"
	"errors"
	"hash/crc32"
	"io"
)

// MaxLine is the length of the longest line that is read back.
const MaxLine = 16 << 20

const (
	head   = `{"c":"` // 8 hex digits of CRC-32C over the payload follow
	middle = `","e":`
	tail   = "}"
	fixed  = len(head) + 8 + len(middle) + len(tail)
)

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// Append appends one line that carries payload, a compact JSON value without line breaks.
func Append(dst, payload []byte) []byte {
	dst, at := Begin(dst)
	return End(append(dst, payload...), at)
}

// Begin appends the beginning of a line. What is appended to dst then is its payload, until End is called with what it
// returned.
func Begin(dst []byte) (line []byte, payload int) {
	dst = append(dst, head+"00000000"+middle...)
	return dst, len(dst)
}

// End ends the line whose payload begins at the given place.
func End(dst []byte, payload int) []byte {
	sum := crc32.Checksum(dst[payload:], castagnoli)
	hex.Encode(dst[payload-len(middle)-8:], []byte{byte(sum >> 24), byte(sum >> 16), byte(sum >> 8), byte(sum)})
	return append(dst, tail+"\n"...)
}

// Size is the length of the line that Append makes of a payload of n bytes.
func Size(n int) int { return fixed + n + 1 }

// Parse returns the payload of a line without its line break, which shares memory with the line, and
// reports whether the line is whole.
func Parse(line []byte) ([]byte, bool) {
	if len(line) <= fixed || string(line[:len(head)]) != head || line[len(line)-1] != tail[0] {
		return nil, false
	}
	rest := line[len(head):]
	if string(rest[8:8+len(middle)]) != middle {
		return nil, false
	}
	var sum [4]byte
	if _, err := hex.Decode(sum[:], rest[:8]); err != nil {
		return nil, false
	}
	payload := rest[8+len(middle) : len(rest)-len(tail)]
	want := uint32(sum[0])<<24 | uint32(sum[1])<<16 | uint32(sum[2])<<8 | uint32(sum[3])
	return payload, crc32.Checksum(payload, castagnoli) == want
}

// Result says what Scan found.
type Result struct {
	// Good is the offset behind the last whole line: what lies beyond is torn and may be cut off.
	Good int64
	// Damaged is the number of broken lines before Good.
	Damaged int
	// Torn reports whether anything lies behind Good.
	Torn bool
}

// Scan hands the payload of every whole line to fn, in order; the slice is valid only during the
// call. Broken lines are passed over. It ends with the first error of r or fn.
func Scan(r io.Reader, fn func(payload []byte) error) (Result, error) {
	var res Result
	var at int64
	var long []byte
	br := bufio.NewReaderSize(r, 64<<10)
	damaged, skipping := 0, false
	for {
		part, err := br.ReadSlice('\n')
		at += int64(len(part))
		if errors.Is(err, bufio.ErrBufferFull) {
			if skipping = skipping || len(long)+len(part) > MaxLine; skipping {
				long = nil
			} else {
				long = append(long, part...)
			}
			continue
		}
		if err != nil {
			// A line without its end is torn even where its checksum fits: one more byte would tell.
			res.Torn = at > res.Good
			if errors.Is(err, io.EOF) {
				err = nil
			}
			return res, err
		}
		line := part
		if len(long) > 0 {
			line = append(long, part...)
		}
		payload, ok := Parse(bytes.TrimSuffix(line, []byte("\n")))
		long = long[:0]
		if !ok || skipping {
			damaged, skipping = damaged+1, false
			continue
		}
		res.Good, res.Damaged = at, damaged
		if err := fn(payload); err != nil {
			return res, err
		}
	}
}
