package process

import (
	"crypto/rand"
	"encoding/hex"
	"errors"
	"io"
	"os"
	"sync"
	"time"
	"unsafe"

	"golang.org/x/sys/windows"
)

// output is our end of the pipe of one stream. It belongs to the run; readers come and go.
type output struct {
	copying sync.Mutex // held by the one reader that copies

	mu      sync.Mutex
	f       *os.File // overlapped, so a read waits in the runtime's poller; nil once released
	current *reader
}

// reader is one opening of an output.
type reader struct {
	*output
	closed bool
}

func (r *reader) Copy(sink func([]byte)) error {
	r.copying.Lock()
	defer r.copying.Unlock()
	r.mu.Lock()
	f := r.f
	if f == nil || r.closed {
		r.mu.Unlock()
		return nil
	}
	r.current = r
	f.SetReadDeadline(time.Time{})
	r.mu.Unlock()
	defer func() {
		r.mu.Lock()
		r.current = nil
		r.mu.Unlock()
	}()
	for {
		// A read of nothing ends when there is something, and then a buffer is taken.
		if _, err := f.Read(nil); err != nil {
			return endOfCopy(err)
		}
		buf := buffers.Get().(*[]byte)
		n, err := f.Read(*buf)
		if n > 0 {
			sink((*buf)[:n])
		}
		buffers.Put(buf)
		// A write of nothing at the other end looks like the end here; the read of nothing knows better.
		if err != nil && !errors.Is(err, io.EOF) {
			return endOfCopy(err)
		}
	}
}

// endOfCopy tells a broken pipe from the ends that are none: no writer is left, Close, release.
func endOfCopy(err error) error {
	if errors.Is(err, io.EOF) || errors.Is(err, os.ErrDeadlineExceeded) || errors.Is(err, os.ErrClosed) {
		return nil
	}
	return err
}

func (r *reader) Close() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.closed = true
	if r.f != nil && r.current == r {
		r.f.SetReadDeadline(time.Unix(1, 0))
	}
	return nil
}

func (o *output) release() {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.f != nil {
		o.f.Close()
		o.f = nil
	}
}

// outputPipe returns the end for the child, inheritable and for plain blocking writes, and ours. The
// system has no overlapped anonymous pipe: this one has a name that nobody can guess, one instance,
// and is refused to other machines.
func outputPipe() (child windows.Handle, o *output, err error) {
	var n [16]byte
	rand.Read(n[:])
	name, err := windows.UTF16PtrFromString(`\\.\pipe\servicehost-` + hex.EncodeToString(n[:]))
	if err != nil {
		return 0, nil, err
	}
	ours, err := windows.CreateNamedPipe(name,
		windows.PIPE_ACCESS_INBOUND|windows.FILE_FLAG_OVERLAPPED|windows.FILE_FLAG_FIRST_PIPE_INSTANCE,
		windows.PIPE_TYPE_BYTE|windows.PIPE_REJECT_REMOTE_CLIENTS, 1, 0, readSize, 0, ownerOnly())
	if err != nil {
		return 0, nil, err
	}
	// FILE_READ_ATTRIBUTES: C runtimes ask what kind of file their output is.
	child, err = windows.CreateFile(name, windows.GENERIC_WRITE|windows.FILE_READ_ATTRIBUTES, 0, inheritable(),
		windows.OPEN_EXISTING, windows.FILE_ATTRIBUTE_NORMAL, 0)
	if err != nil {
		windows.CloseHandle(ours)
		return 0, nil, err
	}
	return child, &output{f: os.NewFile(uintptr(ours), "output")}, nil
}

// stdinPipe returns the end for the child and ours, of which only the closing is ever used.
func stdinPipe() (child, ours windows.Handle, err error) {
	if err := windows.CreatePipe(&child, &ours, nil, 0); err != nil {
		return 0, 0, err
	}
	if err := windows.SetHandleInformation(child, windows.HANDLE_FLAG_INHERIT, windows.HANDLE_FLAG_INHERIT); err != nil {
		windows.CloseHandle(child)
		windows.CloseHandle(ours)
		return 0, 0, err
	}
	return child, ours, nil
}

// openInput opens a file that a child reads as its stdin.
func openInput(path string) (windows.Handle, error) {
	name, err := windows.UTF16PtrFromString(path)
	if err != nil {
		return 0, err
	}
	return windows.CreateFile(name, windows.GENERIC_READ, windows.FILE_SHARE_READ|windows.FILE_SHARE_DELETE,
		inheritable(), windows.OPEN_EXISTING, windows.FILE_ATTRIBUTE_NORMAL, 0)
}

func openNull() (windows.Handle, error) {
	name, err := windows.UTF16PtrFromString(os.DevNull)
	if err != nil {
		return 0, err
	}
	return windows.CreateFile(name, windows.GENERIC_READ|windows.GENERIC_WRITE, windows.FILE_SHARE_READ|windows.FILE_SHARE_WRITE,
		inheritable(), windows.OPEN_EXISTING, windows.FILE_ATTRIBUTE_NORMAL, 0)
}

// ownerOnly lets nobody else open a pipe: by default Everyone may look at it, and so take its one place.
var ownerOnly = sync.OnceValue(func() *windows.SecurityAttributes {
	sd, err := windows.SecurityDescriptorFromString("D:P(A;;GA;;;OW)")
	if err != nil {
		return nil // the default, then
	}
	sa := &windows.SecurityAttributes{SecurityDescriptor: sd}
	sa.Length = uint32(unsafe.Sizeof(*sa))
	return sa
})

func inheritable() *windows.SecurityAttributes {
	sa := &windows.SecurityAttributes{InheritHandle: 1}
	sa.Length = uint32(unsafe.Sizeof(*sa))
	return sa
}
