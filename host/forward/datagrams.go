package forward

import (
	"context"
	"net"
)

// maxDatagram bounds a message over UDP. Receivers take 2 KiB and mostly more; what is larger than a packet is
// sent in several, and lost with any of them.
const maxDatagram = 8 << 10

// datagrams sends one message each over UDP, which tells of hardly any loss.
type datagrams struct {
	peer
	enc  *syslog
	conn net.Conn
	buf  []byte
}

func (t *datagrams) owes() bool { return false }
func (t *datagrams) rest()      { t.buf = nil }

func (t *datagrams) close() {
	if t.conn != nil {
		t.conn.Close()
		t.conn = nil
	}
}

func (t *datagrams) send(ctx context.Context, rs []record) (o outcome) {
	if t.conn == nil {
		d := net.Dialer{Timeout: t.Timeout}
		conn, err := d.DialContext(ctx, "udp", t.url.Host)
		if err != nil {
			return outcome{err: timely(err, t.Timeout)}
		}
		t.conn = conn
	}
	for _, r := range rs {
		if err := ctx.Err(); err != nil {
			o.err = err
			return o
		}
		t.buf = cutUTF8(t.enc.message(t.buf[:0], r), maxDatagram)
		if _, err := t.conn.Write(t.buf); err != nil { // nobody listens, as the answer to an earlier one said
			t.close()
			o.err = timely(err, t.Timeout)
			return o
		}
		o.done++
		o.sent += int64(len(r.text))
	}
	return o
}
