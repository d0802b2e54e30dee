package secrets

import (
	"bytes"
	"encoding/base64"
	"errors"
	"fmt"
	"runtime"
	"unsafe"

	"golang.org/x/sys/windows"
)

// entropy is not secret. It keeps other programs of the machine from reading a protected file by mere
// trying; the rights of the file keep their users from it.
var entropy = []byte("servicehost/secret/1")

// protectFlags: for the machine, because host and administrator are different users; never a box.
const protectFlags = windows.CRYPTPROTECT_LOCAL_MACHINE | windows.CRYPTPROTECT_UI_FORBIDDEN

// dpapi is what the system does; tests note what is asked of it.
type dpapi interface {
	protect(plain, entropy []byte, flags uint32) ([]byte, error)
	unprotect(blob, entropy []byte, flags uint32) ([]byte, error)
}

var system dpapi = crypt32{}

type crypt32 struct{}

func blobOf(b []byte) *windows.DataBlob {
	return &windows.DataBlob{Size: uint32(len(b)), Data: unsafe.SliceData(b)}
}

// take copies what the system returned and wipes it.
func take(out windows.DataBlob) []byte {
	if out.Data == nil {
		return nil
	}
	theirs := unsafe.Slice(out.Data, out.Size)
	ours := bytes.Clone(theirs)
	clear(theirs)
	_, _ = windows.LocalFree(windows.Handle(unsafe.Pointer(out.Data))) // of no use to anybody if that fails
	return ours
}

func (crypt32) protect(plain, entropy []byte, flags uint32) ([]byte, error) {
	var out windows.DataBlob
	err := windows.CryptProtectData(blobOf(plain), nil, blobOf(entropy), 0, nil, flags, &out)
	runtime.KeepAlive(plain)
	if err != nil {
		return nil, err
	}
	return take(out), nil
}

func (crypt32) unprotect(blob, entropy []byte, flags uint32) ([]byte, error) {
	var out windows.DataBlob
	err := windows.CryptUnprotectData(blobOf(blob), nil, blobOf(entropy), 0, nil, flags, &out)
	runtime.KeepAlive(blob)
	if err != nil {
		return nil, err
	}
	return take(out), nil
}

// lineLength of the text form of a protected secret.
const lineLength = 76

// CanProtect reports whether Protect works here.
func CanProtect() bool { return true }

// Protect makes a secret unreadable outside of this machine and returns it as lines of text. Every
// program on this machine can ask for it back: the rights of the file that it goes to are what guards it.
func Protect(plain []byte) ([]byte, error) {
	if len(plain) == 0 || len(plain) > MaxSize {
		return nil, fmt.Errorf("a secret must have between 1 and %d bytes", MaxSize)
	}
	blob, err := system.protect(plain, entropy, protectFlags)
	if err != nil {
		return nil, fmt.Errorf("cannot protect the secret: %w", err)
	}
	text := base64.StdEncoding.AppendEncode(nil, blob)
	var out []byte
	for len(text) > 0 {
		n := min(len(text), lineLength)
		out = append(append(out, text[:n]...), '\n')
		text = text[n:]
	}
	return out, nil
}

func unprotect(s Source, text []byte) ([]byte, error) {
	plainText, err := Text(text) // an editor may have marked it, or made UTF-16 of it
	var blob []byte
	if err == nil {
		blob, err = base64.StdEncoding.DecodeString(string(bytes.Join(bytes.Fields([]byte(plainText)), nil)))
	}
	if err != nil || len(blob) == 0 {
		return nil, fmt.Errorf("%s is not what host secret protect writes", s)
	}
	plain, err := system.unprotect(blob, entropy, windows.CRYPTPROTECT_UI_FORBIDDEN)
	switch {
	case err == nil:
		return plain, nil
	case errors.Is(err, windows.ERROR_INVALID_DATA), errors.Is(err, windows.Errno(windows.NTE_BAD_KEY_STATE)):
		return nil, fmt.Errorf("%s was protected on another machine, or is damaged; make it anew on this one: host secret protect", s)
	}
	return nil, fmt.Errorf("cannot read %s: %w", s, err)
}
