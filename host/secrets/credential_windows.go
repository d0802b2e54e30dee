package secrets

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"unicode/utf8"
	"unsafe"

	"golang.org/x/sys/windows"
)

var (
	advapi32     = windows.NewLazySystemDLL("advapi32.dll")
	procCredRead = advapi32.NewProc("CredReadW")
	procCredFree = advapi32.NewProc("CredFree")
)

// credTypeGeneric is a credential that a program, and not the system, uses.
const credTypeGeneric = 1

// credential is CREDENTIALW.
type credential struct {
	flags, kind     uint32
	target, comment *uint16
	written         windows.Filetime
	size            uint32
	blob            *byte
	persist, count  uint32
	attributes      uintptr
	alias, user     *uint16
}

// readCredential reads from the Credential Manager of the account that the host runs as.
func readCredential(s Source) ([]byte, error) {
	name, err := windows.UTF16PtrFromString(s.Name)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", s, err)
	}
	var c *credential
	if ok, _, err := procCredRead.Call(uintptr(unsafe.Pointer(name)), credTypeGeneric, 0, uintptr(unsafe.Pointer(&c))); ok == 0 {
		switch {
		case errors.Is(err, windows.ERROR_NOT_FOUND):
			return nil, fmt.Errorf("%s is not in the Credential Manager of the account that the host runs as; each account has its own: put it there as that account, with cmdkey /generic", s)
		case errors.Is(err, windows.ERROR_NO_SUCH_LOGON_SESSION):
			return nil, fmt.Errorf("%s: the account that the host runs as has no Credential Manager; use dpapi", s)
		}
		return nil, fmt.Errorf("cannot read %s: %w", s, err)
	}
	defer procCredFree.Call(uintptr(unsafe.Pointer(c)))
	if c.size > MaxSize {
		return nil, fmt.Errorf("%s has more than %d KiB", s, MaxSize>>10)
	}
	theirs := unsafe.Slice(c.blob, c.size)
	defer clear(theirs)
	return credentialText(theirs), nil
}

// credentialText makes UTF-8 of what a credential holds: cmdkey and the control panel write UTF-16, programs
// what they like. UTF-8 text has no zero bytes; UTF-16 text has them wherever it is Latin.
func credentialText(b []byte) []byte {
	if len(b)%2 == 0 && (bytes.IndexByte(b, 0) >= 0 || !utf8.Valid(b)) {
		return []byte(fromUTF16(b, binary.LittleEndian))
	}
	return bytes.Clone(b)
}
