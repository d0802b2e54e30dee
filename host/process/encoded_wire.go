package process

import (
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"sync"
)

// The types of frames. A frame is its length (4 bytes, big endian), its type (1 byte) and the rest.
const (
	frameCall   = 1 // to the server: JSON call
	frameAnswer = 2 // to the client: JSON answer
	frameEvent  = 3 // to the client: JSON Event
	frameCopy   = 4 // to the server: JSON copyFrom
	frameData   = 5 // to the client: channel (8 bytes), output
	frameTaken  = 6 // to the server: channel (8), how many bytes more were handed out (8)
	frameStop   = 7 // to the server: channel (8): the Copy is over
	frameEnd    = 8 // to the client: JSON copyEnd
)

const (
	// maxFrame bounds what a frame may make the other end allocate.
	maxFrame = 64 << 20
	// maxData is the most output in one frame: others get their turn in between.
	maxData = 32 << 10
	// window is the most output of one stream that is under way and not handed out.
	window = 256 << 10
)

// wire reads and writes frames. One goroutine reads; any may write.
type wire struct {
	conn io.ReadWriteCloser

	mu  sync.Mutex
	out []byte
}

func newWire(conn io.ReadWriteCloser) *wire { return &wire{conn: conn} }

// send writes one frame of the parts.
func (w *wire) send(kind byte, parts ...[]byte) error {
	n := 1
	for _, p := range parts {
		n += len(p)
	}
	if n > maxFrame {
		return fmt.Errorf("a message of %d bytes is too long", n)
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.out = binary.BigEndian.AppendUint32(w.out[:0], uint32(n))
	w.out = append(w.out, kind)
	for _, p := range parts {
		w.out = append(w.out, p...)
	}
	_, err := w.conn.Write(w.out)
	if cap(w.out) > 4*maxData {
		w.out = nil
	}
	return err
}

func (w *wire) sendJSON(kind byte, v any) error {
	text, err := json.Marshal(v)
	if err != nil {
		return err
	}
	return w.send(kind, text)
}

// sendNumbers writes a frame of channel and count, without an allocation.
func (w *wire) sendNumbers(kind byte, numbers ...uint64) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.out = binary.BigEndian.AppendUint32(w.out[:0], uint32(1+8*len(numbers)))
	w.out = append(w.out, kind)
	for _, n := range numbers {
		w.out = binary.BigEndian.AppendUint64(w.out, n)
	}
	_, err := w.conn.Write(w.out)
	return err
}

// sendData writes one frame of output.
func (w *wire) sendData(channel uint64, p []byte) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.out = binary.BigEndian.AppendUint32(w.out[:0], uint32(9+len(p)))
	w.out = append(w.out, frameData)
	w.out = binary.BigEndian.AppendUint64(w.out, channel)
	w.out = append(w.out, p...)
	_, err := w.conn.Write(w.out)
	return err
}

// next reads the head of a frame: the rest of n bytes must be read from conn.
func (w *wire) next() (kind byte, n int, err error) {
	var head [5]byte
	if _, err := io.ReadFull(w.conn, head[:]); err != nil {
		return 0, 0, err
	}
	size := binary.BigEndian.Uint32(head[:4])
	if size < 1 || size > maxFrame {
		return 0, 0, fmt.Errorf("a frame of %d bytes is no message", size)
	}
	return head[4], int(size) - 1, nil
}

func (w *wire) readRest(n int) ([]byte, error) {
	rest := make([]byte, n)
	_, err := io.ReadFull(w.conn, rest)
	return rest, err
}

// readNumbers reads the rest of a frame into numbers.
func (w *wire) readNumbers(n int, numbers ...*uint64) error {
	if n != 8*len(numbers) {
		return fmt.Errorf("a frame of %d bytes should have %d", n, 8*len(numbers))
	}
	var b [8]byte
	for _, p := range numbers {
		if _, err := io.ReadFull(w.conn, b[:]); err != nil {
			return err
		}
		*p = binary.BigEndian.Uint64(b[:])
	}
	return nil
}

// hungUp reports whether an error is but the orderly end of a connection.
func hungUp(err error) bool {
	return errors.Is(err, io.EOF) || errors.Is(err, io.ErrClosedPipe) || errors.Is(err, net.ErrClosed) || errors.Is(err, os.ErrClosed)
}

// asError makes any error one that can travel.
func asError(err error) *Error {
	if err == nil {
		return nil
	}
	if e, ok := errors.AsType[*Error](err); ok {
		return e
	}
	return &Error{Kind: ErrOther, Message: err.Error()}
}
