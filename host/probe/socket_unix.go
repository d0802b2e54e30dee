//go:build unix

package probe

import (
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"os/user"
	"path/filepath"
	"strconv"
	"sync"
	"syscall"

	"golang.org/x/sys/unix"

	"servicehost/host/human"
)

// server is the part of a Socket that Unix needs.
type server struct {
	conn *net.UnixConn
	path string // empty: it is no file
	uid  int    // of the program
	done sync.WaitGroup
}

const (
	socketPrefix = "n-"
	// maxAddress is below the size of sun_path on every system we run on (104 on macOS and BSD).
	maxAddress = 100
)

func (s *Socket) open(name string) error {
	fail := func(err error) error { return fmt.Errorf("cannot listen for notifications: %w", err) }
	var err error
	if s.uid, err = accountID(s.opt.Account); err != nil {
		return fail(err)
	}
	if err := privateDir(s.opt.Dir); err != nil {
		return fmt.Errorf("cannot make a folder for notifications: %w", err)
	}
	s.address = filepath.Join(s.opt.Dir, socketPrefix+name)
	s.path = s.address
	at := blockedAt(s.opt.Dir)
	blocked, long := s.uid != os.Geteuid() && at != "", len(s.address) > maxAddress
	switch {
	case (blocked || long) && abstractPrefix != "":
		s.address, s.path = abstractPrefix+name, ""
	case blocked:
		return fail(fmt.Errorf("user %q can't pass the folder %s", s.opt.Account, human.Path(at)))
	case long:
		return fail(fmt.Errorf("the path %s is too long for a socket", human.Path(s.address)))
	}
	if s.conn, err = net.ListenUnixgram("unixgram", &net.UnixAddr{Name: s.address, Net: "unixgram"}); err != nil {
		return fail(err)
	}
	if s.path != "" {
		err = letWrite(s.path, s.uid)
	}
	raw, rerr := s.conn.SyscallConn()
	if err = errors.Join(err, rerr); err == nil {
		var serr error
		err = errors.Join(raw.Control(func(fd uintptr) { serr = passCredentials(int(fd)) }), serr)
	}
	if err != nil {
		s.Close()
		return fail(err)
	}
	return nil
}

// accountID is the user of a name or number; empty: our own.
func accountID(name string) (int, error) {
	if name == "" {
		return os.Geteuid(), nil
	}
	if u, err := user.Lookup(name); err == nil {
		return strconv.Atoi(u.Uid)
	}
	if n, err := strconv.ParseUint(name, 10, 31); err == nil {
		return int(n), nil
	}
	return 0, fmt.Errorf("there is no user %q", name)
}

// blockedAt is the folder on the way to dir, or dir itself, that others may not pass; empty: they may.
func blockedAt(dir string) string {
	for {
		info, err := os.Stat(dir)
		if err != nil || info.Mode().Perm()&1 == 0 {
			return dir
		}
		up := filepath.Dir(dir)
		if up == dir {
			return ""
		}
		dir = up
	}
}

// privateDir makes a folder in which nobody else can put anything.
func privateDir(dir string) error {
	const mode = 0o711
	if err := os.Mkdir(dir, mode); err != nil && !errors.Is(err, fs.ErrExist) {
		return err
	}
	info, err := os.Lstat(dir)
	if err != nil {
		return err
	}
	st, ok := info.Sys().(*syscall.Stat_t)
	if !info.IsDir() || !ok || int(st.Uid) != os.Geteuid() {
		return fmt.Errorf("%s is no folder of this account", human.Path(dir))
	}
	return os.Chmod(dir, mode)
}

// ClearSockets removes what a host that was killed left in a folder of sockets; another host must not be using it.
func ClearSockets(dir string) {
	left, _ := filepath.Glob(filepath.Join(dir, socketPrefix+"*"))
	for _, path := range left {
		if info, err := os.Lstat(path); err == nil && info.Mode().Type() == fs.ModeSocket {
			_ = os.Remove(path)
		}
	}
}

// Serve begins to take messages, one after the other in a goroutine of the Socket. It must be called at most once.
func (s *Socket) Serve(deliver func(Message)) {
	raw, err := s.conn.SyscallConn()
	if err != nil {
		return
	}
	s.done.Go(func() {
		for s.receive(raw, deliver) {
		}
	})
}

// Close removes the socket. Nothing is delivered any more when it returns.
func (s *Socket) Close() {
	_ = s.conn.Close()
	s.done.Wait()
	if s.path != "" {
		_ = os.Remove(s.path)
	}
}

// buffer holds one message. A socket at which nothing arrives has none.
type buffer struct {
	data [maxMessage + 1]byte
	oob  [256]byte // credentials and a few descriptors; the kernel closes others
}

var buffers = sync.Pool{New: func() any { return new(buffer) }}

// receive takes one message and reports whether there may be more.
func (s *Socket) receive(raw syscall.RawConn, deliver func(Message)) bool {
	var b *buffer
	var n, oobn, flags int
	var err error
	werr := raw.Read(func(fd uintptr) bool {
		if b == nil {
			b = buffers.Get().(*buffer)
		}
		for {
			n, oobn, flags, _, err = unix.Recvmsg(int(fd), b.data[:], b.oob[:], unix.MSG_DONTWAIT|closeOnExec)
			if !errors.Is(err, unix.EINTR) {
				break
			}
		}
		if errors.Is(err, unix.EAGAIN) {
			buffers.Put(b)
			b = nil
			return false
		}
		return true
	})
	if werr != nil || err != nil {
		return werr == nil && !errors.Is(err, unix.EBADF)
	}
	defer buffers.Put(b)
	from, files := ancillary(b.oob[:oobn])
	// Closed at the end: that is the answer to BARRIER=1, and what sd_notify_barrier waits for.
	defer func() {
		for _, fd := range files {
			_ = unix.Close(fd)
		}
	}()
	if n > maxMessage || flags&unix.MSG_TRUNC != 0 || !s.accepts(from) {
		return true
	}
	deliver(ParseMessage(b.data[:n]))
	return true
}

// ancillary is who sent a message, and the descriptors that came with it.
func ancillary(oob []byte) (from Sender, files []int) {
	from = Sender{UID: -1, GID: -1}
	list, err := unix.ParseSocketControlMessage(oob)
	if err != nil {
		return from, nil
	}
	for _, m := range list {
		if fds, err := unix.ParseUnixRights(&m); err == nil {
			files = append(files, fds...)
			continue
		}
		credentials(&m, &from)
	}
	return from, files
}
