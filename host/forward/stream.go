package forward

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"time"

	"servicehost/host/human"
	"servicehost/host/outbound"
)

const (
	// A peer that goes away may have what was last written in its buffers, unread: neither syslog over TCP nor
	// plain lines are answered. What was written within unsure before a connection broke is sent again over the
	// next one, as far as it was kept.
	unsure     = 2 * time.Second
	unsureMost = 2 << 20
	// sendBuffer bounds what the system takes for a peer that does not read.
	sendBuffer = 256 << 10
	writePart  = 64 << 10
)

// stream sends over a TCP or TLS connection.
type stream struct {
	peer
	enc  encoder
	link *link
	kept []written // oldest first
	size int       // of kept
	buf  []byte
	debt bool // kept has to be sent again
}

// written is what one send wrote.
type written struct {
	at   time.Time
	data []byte
}

// link is one connection. Its reader sees when the peer ends it; what a peer says is not listened to.
type link struct {
	net.Conn
	broken chan struct{}
	at     time.Time // it broke; readable when broken is closed
}

func (t *stream) owes() bool {
	if t.link == nil {
		return t.debt
	}
	select {
	case <-t.link.broken:
		return len(t.kept) > 0 && t.link.at.Sub(t.kept[len(t.kept)-1].at) <= unsure
	default:
		return false
	}
}

func (t *stream) rest() {
	t.buf = nil
	if !t.debt && !t.owes() && len(t.kept) > 0 && time.Since(t.kept[len(t.kept)-1].at) > unsure {
		t.kept, t.size = nil, 0
	}
}

func (t *stream) close() {
	if t.link != nil {
		t.link.Close()
		t.link = nil
	}
}

func (t *stream) send(ctx context.Context, rs []record) (o outcome) {
	if err := t.ready(ctx); err != nil {
		return outcome{err: err}
	}
	if len(rs) == 0 {
		return outcome{}
	}
	t.buf = t.enc.encode(t.buf[:0], rs)
	if err := t.write(ctx, t.buf); err != nil {
		return outcome{err: err}
	}
	t.keep(t.buf)
	t.buf = nil
	return outcome{done: len(rs), sent: bytesOf(rs)}
}

// keep holds what was written until it is old enough to be with the peer, or too much.
func (t *stream) keep(data []byte) {
	now := time.Now()
	t.kept = append(t.kept, written{now, data})
	t.size += len(data)
	for len(t.kept) > 1 && (t.size > unsureMost || now.Sub(t.kept[0].at) > unsure) {
		t.size -= len(t.kept[0].data)
		t.kept[0] = written{}
		t.kept = t.kept[1:]
	}
}

// ready sees to it that there is a connection, and that it was sent what the former one may have lost.
func (t *stream) ready(ctx context.Context) error {
	if t.link != nil {
		select {
		case <-t.link.broken:
			t.drop()
		default:
			return nil
		}
	}
	if err := t.connect(ctx); err != nil {
		return err
	}
	for _, w := range t.kept {
		if err := t.write(ctx, w.data); err != nil {
			return err
		}
	}
	now := time.Now()
	for n := range t.kept {
		t.kept[n].at = now
	}
	t.debt = false
	return nil
}

// drop gives up a broken connection. What was written long before is taken for received.
func (t *stream) drop() {
	t.link.Close()
	<-t.link.broken
	at := t.link.at
	t.link = nil
	for len(t.kept) > 0 && at.Sub(t.kept[0].at) > unsure {
		t.size -= len(t.kept[0].data)
		t.kept = t.kept[1:]
	}
	t.debt = len(t.kept) > 0
}

func (t *stream) connect(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, t.Timeout)
	defer cancel()
	d := net.Dialer{KeepAlive: 15 * time.Second}
	conn, err := d.DialContext(ctx, "tcp", t.url.Host)
	if err != nil {
		return timely(err, t.Timeout)
	}
	if tcp, ok := conn.(*net.TCPConn); ok {
		_ = tcp.SetWriteBuffer(sendBuffer) // it is sent all the same
	}
	if t.url.Scheme == "tls" {
		c, err := outbound.TLS(t.TLS, t.url.Hostname())
		if err != nil {
			conn.Close()
			return err
		}
		secure := tls.Client(conn, c)
		if err := secure.HandshakeContext(ctx); err != nil {
			conn.Close()
			return timely(err, t.Timeout)
		}
		conn = secure
	}
	l := &link{Conn: conn, broken: make(chan struct{})}
	t.link = l
	go t.listen(l)
	return nil
}

// listen waits for the end of a connection. A batch that came too late is sent again at once, not with the
// next record: there may be none for hours.
func (t *stream) listen(l *link) {
	_, _ = io.Copy(io.Discard, l) // any end is an end
	l.at = time.Now()
	l.Close()
	close(l.broken)
	t.ring()
}

func (t *stream) write(ctx context.Context, data []byte) error {
	l := t.link
	stop := context.AfterFunc(ctx, func() { _ = l.SetWriteDeadline(time.Unix(1, 0)) })
	defer stop()
	for len(data) > 0 {
		part := data[:min(len(data), writePart)]
		_ = l.SetWriteDeadline(time.Now().Add(t.Timeout)) // first, so that it does not undo the one above
		if err := ctx.Err(); err != nil {
			return err
		}
		if _, err := l.Write(part); err != nil {
			t.drop()
			return timely(err, t.Timeout)
		}
		data = data[len(part):]
	}
	return nil
}

// timely puts the time into what timed out.
func timely(err error, timeout time.Duration) error {
	if e, ok := errors.AsType[net.Error](err); ok && e.Timeout() || errors.Is(err, context.DeadlineExceeded) {
		return fmt.Errorf("it does not take anything within %s", human.Duration(timeout))
	}
	return err
}
