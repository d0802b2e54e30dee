package spec

import (
	"bytes"
	"errors"
	"fmt"
	"unicode/utf8"

	"golang.org/x/text/encoding/simplifiedchinese"
	"golang.org/x/text/encoding/unicode"
)

// encodingError says which encoding a file looks like and what to do about it.
type encodingError struct {
	line    int
	message string
	hint    string
}

func (e *encodingError) Error() string { return e.message }

const saveHint = "save it as UTF-8 (Notepad: Save as, Encoding: UTF-8; PowerShell: Set-Content -Encoding utf8)"

// decodeText turns the bytes of a file into UTF-8 without a byte order mark.
func decodeText(raw []byte) (string, error) {
	switch {
	case bytes.HasPrefix(raw, []byte{0xEF, 0xBB, 0xBF}):
		raw = raw[3:]
	case bytes.HasPrefix(raw, []byte{0xFF, 0xFE, 0, 0}), bytes.HasPrefix(raw, []byte{0, 0, 0xFE, 0xFF}):
		return "", &encodingError{message: "is in UTF-32", hint: saveHint}
	case bytes.HasPrefix(raw, []byte{0xFF, 0xFE}):
		return decodeUTF16(raw, unicode.LittleEndian)
	case bytes.HasPrefix(raw, []byte{0xFE, 0xFF}):
		return decodeUTF16(raw, unicode.BigEndian)
	}
	if at := bytes.IndexByte(raw, 0); at >= 0 {
		return "", nulError(raw, at)
	}
	if !utf8.Valid(raw) {
		return "", notUTF8(raw)
	}
	return string(raw), nil
}

func decodeUTF16(raw []byte, order unicode.Endianness) (string, error) {
	if len(raw)%2 != 0 {
		return "", &encodingError{message: "begins like UTF-16 but has an odd number of bytes; it may be cut off", hint: saveHint}
	}
	text, err := unicode.UTF16(order, unicode.ExpectBOM).NewDecoder().Bytes(raw)
	if err != nil {
		return "", fmt.Errorf("cannot be read as UTF-16: %v", err)
	}
	if at := bytes.IndexByte(text, 0); at >= 0 {
		return "", &encodingError{line: lineOf(text, at), message: "holds a NUL character", hint: "it may be damaged or no text at all"}
	}
	if bytes.ContainsRune(text, utf8.RuneError) {
		return "", &encodingError{message: "is not valid UTF-16", hint: saveHint}
	}
	return string(text), nil
}

// nulError tells UTF-16 without a byte order mark, where every other byte of plain text is zero, from a binary file.
func nulError(raw []byte, at int) error {
	head := raw[:min(len(raw), 4096)]
	even, odd := 0, 0
	for i, c := range head {
		if c == 0 {
			if i%2 == 0 {
				even++
			} else {
				odd++
			}
		}
	}
	switch quarter := len(head) / 4; {
	case odd > quarter && even < odd/8+1:
		return &encodingError{message: "looks like UTF-16 (little endian) without a byte order mark", hint: saveHint}
	case even > quarter && odd < even/8+1:
		return &encodingError{message: "looks like UTF-16 (big endian) without a byte order mark", hint: saveHint}
	}
	return &encodingError{line: lineOf(raw, at), message: "holds a NUL character", hint: "it may be damaged or no text at all"}
}

// notUTF8 names the encoding that the bytes fit: GBK, as Chinese Windows writes it, or another ANSI code page.
func notUTF8(raw []byte) error {
	at := 0
	for at < len(raw) {
		r, n := utf8.DecodeRune(raw[at:])
		if r == utf8.RuneError && n == 1 {
			break
		}
		at += n
	}
	e := &encodingError{line: lineOf(raw, at), hint: saveHint}
	if looksLikeGBK(raw) {
		e.message = "is not UTF-8; it looks like GBK (the ANSI encoding of Chinese Windows)"
	} else {
		e.message = "is not UTF-8; it looks like an ANSI code page such as Windows-1252"
	}
	return e
}

// looksLikeGBK reports whether all bytes form GBK, most of them common Chinese characters.
func looksLikeGBK(raw []byte) bool {
	text, err := simplifiedchinese.GBK.NewDecoder().Bytes(raw)
	if err != nil || errors.Is(err, bytes.ErrTooLarge) {
		return false
	}
	han, other := 0, 0
	for _, r := range string(text) {
		switch {
		case r == utf8.RuneError:
			return false
		case r >= 0x4E00 && r <= 0x9FFF, r >= 0x3000 && r <= 0x303F, r >= 0xFF00 && r <= 0xFFEF:
			han++
		case r > 0x7F:
			other++
		}
	}
	return han > other
}

func lineOf(raw []byte, at int) int { return 1 + bytes.Count(raw[:at], []byte{'\n'}) }
