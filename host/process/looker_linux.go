package process

import (
	"bytes"
	"encoding/binary"
	"strconv"
	"sync"
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

// looker reads small files of the kernel without allocating: with a thousand services every look counts.
type looker struct {
	name    []byte // of the file, ends with a zero
	buf     []byte
	pids    []int // of a tree
	threads []int // of a process
}

var lookers = sync.Pool{New: func() any {
	return &looker{name: make([]byte, 0, 64), buf: make([]byte, 4096)}
}}

// proc names a file of a process: proc(7, "stat") is /proc/7/stat.
func (l *looker) proc(pid int, file string) {
	l.name = strconv.AppendInt(append(l.name[:0], "/proc/"...), int64(pid), 10)
	l.name = append(append(append(l.name, '/'), file...), 0)
}

// children names the list of those that a thread started.
func (l *looker) children(pid, thread int) {
	l.name = strconv.AppendInt(append(l.name[:0], "/proc/"...), int64(pid), 10)
	l.name = strconv.AppendInt(append(l.name, "/task/"...), int64(thread), 10)
	l.name = append(l.name, "/children\x00"...)
}

// file names one below a folder that is open.
func (l *looker) file(name string) { l.name = append(append(l.name[:0], name...), 0) }

// open opens the named file, relative to dir where its name is; a failure is negative.
func (l *looker) open(dir, flags int) int {
	for {
		fd, _, err := syscall.Syscall6(unix.SYS_OPENAT, uintptr(dir), uintptr(unsafe.Pointer(&l.name[0])),
			uintptr(flags|unix.O_CLOEXEC), 0, 0, 0)
		switch err {
		case 0:
			return int(fd)
		case unix.EINTR:
		default:
			return -1
		}
	}
}

// read returns the content of the named file, nil if it can't be read. It is valid until the next read.
func (l *looker) read() []byte { return l.drain(l.open(unix.AT_FDCWD, unix.O_RDONLY), false) }

// readAll is read for a file that may be longer than one call returns.
func (l *looker) readAll() []byte { return l.drain(l.open(unix.AT_FDCWD, unix.O_RDONLY), true) }

// drain reads what was opened, to its end where all is asked for, and closes it.
func (l *looker) drain(fd int, all bool) []byte {
	if fd < 0 {
		return nil
	}
	defer unix.Close(fd)
	have := 0
	for {
		n, err := unix.Read(fd, l.buf[have:])
		switch {
		case err == unix.EINTR:
			continue
		case err != nil:
			return nil
		}
		have += n
		if n == 0 || !all {
			return l.buf[:have]
		}
		if have == len(l.buf) {
			l.buf = append(l.buf, make([]byte, len(l.buf))...)
		}
	}
}

// count returns the number of entries of the named folder, 0 if it can't be known.
func (l *looker) count() int {
	var st unix.Stat_t
	fd := l.open(unix.AT_FDCWD, unix.O_RDONLY|unix.O_DIRECTORY)
	if fd < 0 {
		return 0
	}
	defer unix.Close(fd)
	// Since Linux 6.2 the size of /proc/PID/fd is the number of descriptors.
	if unix.Fstat(fd, &st) == nil && st.Size > 0 {
		return int(st.Size)
	}
	n := 0
	l.entries(fd, func([]byte) { n++ })
	return n
}

// entries calls f with the name of each entry of an open folder but for "." and "..". What f gets is valid
// during the call; f must not read with the same looker.
func (l *looker) entries(fd int, f func(name []byte)) {
	for {
		n, err := unix.Getdents(fd, l.buf)
		if err == unix.EINTR {
			continue
		}
		if err != nil || n <= 0 {
			return
		}
		for b := l.buf[:n]; len(b) > direntName; {
			size := int(binary.NativeEndian.Uint16(b[direntLength:]))
			if size <= direntName || size > len(b) {
				return
			}
			name := b[direntName:size]
			if end := bytes.IndexByte(name, 0); end >= 0 {
				name = name[:end]
			}
			if s := string(name); s != "." && s != ".." {
				f(name)
			}
			b = b[size:]
		}
	}
}

// Where the parts of struct linux_dirent64 begin: https://man7.org/linux/man-pages/man2/getdents.2.html
const (
	direntLength = 16
	direntName   = 19
)

// numbers appends the numbers in text, which are separated by spaces or ends of lines.
func numbers(to []int, text []byte) []int {
	for len(text) > 0 {
		n, rest := digits(text)
		if len(rest) == len(text) {
			text = text[1:]
			continue
		}
		to, text = append(to, int(n)), rest
	}
	return to
}

// digits reads the digits at the beginning of text; without any, nothing is cut off.
func digits(text []byte) (n int64, rest []byte) {
	for len(text) > 0 && '0' <= text[0] && text[0] <= '9' {
		n = 10*n + int64(text[0]-'0')
		text = text[1:]
	}
	return n, text
}

// value is the number behind a key such as "Pss:" at the beginning of a line of text, 0 without one.
func value(text []byte, key string) int64 {
	for len(text) > 0 {
		line := text
		if end := bytes.IndexByte(text, '\n'); end >= 0 {
			line, text = text[:end], text[end+1:]
		} else {
			text = nil
		}
		if len(line) > len(key) && string(line[:len(key)]) == key {
			n, _ := digits(bytes.TrimLeft(line[len(key):], " \t"))
			return n
		}
	}
	return 0
}
