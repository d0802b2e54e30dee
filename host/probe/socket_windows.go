package probe

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"sync"
	"time"

	"github.com/Microsoft/go-winio"
	"golang.org/x/sys/windows"
)

// The pipe stands in for the socket: a program opens it, writes the same lines, each ended by a newline or by
// closing the pipe, and may keep it open. The answer to the line BARRIER=1 is the same line, once everything
// before it was taken in.

// server is the part of a Socket that Windows needs.
type server struct {
	listener net.Listener
	done     sync.WaitGroup

	mu    sync.Mutex
	conns map[net.Conn]struct{} // nil: closed
}

const (
	pipePrefix = `\\.\pipe\servicehost-notify-`
	// pipeAccess is what a client needs: read, write and synchronize, without the right to create further instances
	// of the pipe, which GENERIC_WRITE would include.
	pipeAccess = 0x12019b
	// maxClients bounds how many processes of a run are listened to at once; others wait until one has closed.
	maxClients = 8
	// answerTimeout is how long a client may take to read the answer to a barrier.
	answerTimeout = 5 * time.Second
)

func (s *Socket) open(name string) error {
	s.address = pipePrefix + name
	me, err := ownSID()
	if err != nil {
		return fmt.Errorf("cannot listen for notifications: %w", err)
	}
	user := ""
	if s.opt.Account != "" {
		if user, err = accountSID(s.opt.Account); err != nil {
			return fmt.Errorf("cannot listen for notifications: there is no account %q: %w", s.opt.Account, err)
		}
	}
	s.listener, err = winio.ListenPipe(s.address, &winio.PipeConfig{SecurityDescriptor: pipeSDDL(me, user, s.opt.LowIntegrity)})
	if err != nil {
		return fmt.Errorf("cannot listen for notifications: %w", err)
	}
	useUpFirstInstance(s.address)
	s.conns = map[net.Conn]struct{}{}
	return nil
}

// pipeSDDL lets the account of the program write, and winio refuses remote clients by itself. The label of a low
// integrity is given where the program has no higher one: else it could not write to what its account may.
func pipeSDDL(me, user string, low bool) string {
	sddl := "D:P(A;;GA;;;SY)(A;;GA;;;BA)(A;;GA;;;" + me + ")"
	if user != "" {
		sddl += fmt.Sprintf("(A;;0x%x;;;%s)", pipeAccess, user)
	}
	if low {
		sddl += "S:(ML;;NW;;;LW)"
	}
	return sddl
}

func ownSID() (string, error) {
	u, err := windows.GetCurrentProcessToken().GetTokenUser()
	if err != nil {
		return "", err
	}
	return u.User.Sid.String(), nil
}

func accountSID(name string) (string, error) {
	if sid, err := windows.StringToSid(name); err == nil {
		return sid.String(), nil
	}
	name = strings.TrimPrefix(name, `.\`)
	sid, _, _, err := windows.LookupSID("", name)
	if err != nil {
		return "", err
	}
	return sid.String(), nil
}

// useUpFirstInstance opens and closes the pipe once. winio holds the first instance only to own the name and
// serves further ones; where that first one takes clients nevertheless (Wine), ours is the client that is lost.
// On Windows itself this is refused as busy.
func useUpFirstInstance(address string) {
	if h, err := openPipe(address); err == nil {
		_ = windows.CloseHandle(h)
	}
}

func openPipe(address string) (windows.Handle, error) {
	name, err := windows.UTF16PtrFromString(address)
	if err != nil {
		return 0, err
	}
	return windows.CreateFile(name, pipeAccess, 0, nil, windows.OPEN_EXISTING, windows.SECURITY_SQOS_PRESENT|windows.SECURITY_ANONYMOUS, 0)
}

// ClearSockets has nothing to do: a pipe ends with its host.
func ClearSockets(string) {}

// Serve begins to take messages, in goroutines of the Socket, each of those of one client after the other. It must
// be called at most once.
func (s *Socket) Serve(deliver func(Message)) {
	s.done.Go(func() {
		free := make(chan struct{}, maxClients)
		for {
			free <- struct{}{}
			conn, err := s.listener.Accept()
			if err != nil {
				if errors.Is(err, net.ErrClosed) {
					return
				}
				<-free
				continue // the client was gone before we saw it
			}
			if !s.adopt(conn) {
				_ = conn.Close()
				return
			}
			s.done.Go(func() {
				s.talk(conn, deliver)
				s.drop(conn)
				<-free
			})
		}
	})
}

func (s *Socket) adopt(conn net.Conn) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.conns == nil {
		return false
	}
	s.conns[conn] = struct{}{}
	return true
}

func (s *Socket) drop(conn net.Conn) {
	_ = conn.Close()
	s.mu.Lock()
	delete(s.conns, conn)
	s.mu.Unlock()
}

// Close removes the pipe. Nothing is delivered any more when it returns.
func (s *Socket) Close() {
	_ = s.listener.Close()
	s.mu.Lock()
	for conn := range s.conns {
		_ = conn.Close()
	}
	s.conns = nil
	s.mu.Unlock()
	s.done.Wait()
}

// talk takes the lines of one client. Several that come at once are one message.
func (s *Socket) talk(conn net.Conn, deliver func(Message)) {
	if !s.accepts(sender(conn)) {
		return
	}
	r := bufio.NewReaderSize(conn, maxMessage)
	var lines []byte
	for {
		line, err := r.ReadSlice('\n')
		if errors.Is(err, bufio.ErrBufferFull) {
			return // nothing that means anything is that long
		}
		lines = append(lines, line...)
		if more, _ := r.Peek(r.Buffered()); err == nil && bytes.IndexByte(more, '\n') >= 0 && len(lines)+len(more) <= maxMessage {
			continue
		}
		if len(lines) > 0 {
			m := ParseMessage(lines)
			deliver(m)
			if m.Barrier {
				_ = conn.SetWriteDeadline(time.Now().Add(answerTimeout))
				if _, werr := io.WriteString(conn, "BARRIER=1\n"); werr != nil {
					return
				}
			}
			lines = lines[:0]
		}
		if err != nil {
			return
		}
	}
}

// trusts leaves it to the access list of the pipe who is heard.
func (s *Socket) trusts(Sender) bool { return true }

// sender is the process at the other end.
func sender(conn net.Conn) Sender {
	from := Sender{UID: -1, GID: -1}
	if f, ok := conn.(interface{ Fd() uintptr }); ok {
		var pid uint32
		if err := windows.GetNamedPipeClientProcessId(windows.Handle(f.Fd()), &pid); err == nil {
			from.PID = int(pid)
		}
	}
	return from
}
