//go:build unix

package eventlog

import (
	"errors"
	"fmt"
	"net"
	"time"
)

// writeWait is how long one datagram may wait for room in the queue of the daemon.
const writeWait = 5 * time.Second

// socketSink writes datagrams to a daemon of this machine. It connects anew after a failure: the daemon
// may have been restarted.
type socketSink struct {
	path   string
	encode func(r record) [][]byte
	conn   *net.UnixConn
}

// openSink prefers journald, which keeps fields, to syslog.
func openSink(source string) (sink, error) { return dialFirst(source, places) }

// place is where a daemon may listen.
type place struct {
	path     string
	journald bool
}

var places = []place{{"/run/systemd/journal/socket", true}, {"/dev/log", false}, {"/var/run/syslog", false}, {"/var/run/log", false}}

func dialFirst(source string, places []place) (sink, error) {
	var errs error
	for _, p := range places {
		s := &socketSink{path: p.path, encode: func(r record) [][]byte { return syslogLines(source, r, time.Now()) }}
		if p.journald {
			s.encode = func(r record) [][]byte { return [][]byte{journaldEntry(source, r)} }
		}
		err := s.dial()
		if err == nil {
			return s, nil
		}
		errs = errors.Join(errs, err)
	}
	return nil, fmt.Errorf("cannot write events to the system's log, neither journald nor syslog listens: %w", errs)
}

func (s *socketSink) dial() error {
	c, err := net.DialUnix("unixgram", nil, &net.UnixAddr{Name: s.path, Net: "unixgram"})
	if err != nil {
		return err
	}
	s.conn = c
	return nil
}

func (s *socketSink) write(r record) error {
	if s.conn == nil {
		if err := s.dial(); err != nil {
			return fmt.Errorf("cannot write events to the system's log: %w", err)
		}
	}
	fresh := false
	for _, datagram := range s.encode(r) {
		err := s.send(datagram)
		if err != nil && !fresh {
			s.close()
			if err = s.dial(); err == nil {
				fresh, err = true, s.send(datagram)
			}
		}
		if err != nil {
			s.close()
			return fmt.Errorf("cannot write events to the system's log: %w", err)
		}
	}
	return nil
}

func (s *socketSink) send(datagram []byte) error {
	if err := s.conn.SetWriteDeadline(time.Now().Add(writeWait)); err != nil {
		return err
	}
	_, err := s.conn.Write(datagram)
	return err
}

func (s *socketSink) close() {
	if s.conn != nil {
		s.conn.Close()
		s.conn = nil
	}
}
