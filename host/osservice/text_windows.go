package osservice

import (
	"unicode/utf16"
	"unsafe"

	"golang.org/x/sys/windows"
)

// multiString is a list of strings as the SCM takes one: each ends with a zero, the list with one more.
// No strings are an empty list, which clears what is there; nil would leave it.
func multiString(list []string) *uint16 {
	var out []uint16
	for _, s := range list {
		out = append(append(out, utf16.Encode([]rune(s))...), 0)
	}
	if len(list) == 0 {
		out = append(out, 0)
	}
	return &append(out, 0)[0]
}

// fromMultiString is the opposite. It counts UTF-16 units, not bytes: names need not be ASCII.
func fromMultiString(p *uint16) []string {
	var list []string
	for p != nil && *p != 0 {
		units := 0
		for at := p; *at != 0; at = (*uint16)(unsafe.Add(unsafe.Pointer(at), 2)) {
			units++
		}
		list = append(list, windows.UTF16ToString(unsafe.Slice(p, units)))
		p = (*uint16)(unsafe.Add(unsafe.Pointer(p), 2*(units+1)))
	}
	return list
}

// structure is the start of a buffer that QueryServiceConfig2 has filled.
func structure(b []byte) unsafe.Pointer { return unsafe.Pointer(unsafe.SliceData(b)) }
