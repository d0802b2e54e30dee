package requires

import (
	"encoding/binary"
	"errors"
	"path/filepath"
	"unsafe"

	"golang.org/x/sys/windows"
)

// Hint says how to see more.
func (t *PortTaken) Hint() string {
	switch {
	case t.Reserved:
		return "netsh int ipv4 show excludedportrange protocol=tcp lists what is reserved, often by Hyper-V or WinNAT"
	case t.Holder.PID == systemPID:
		return "netsh http show servicestate lists who uses it by http.sys, as IIS does"
	}
	return ""
}

// systemPID is the process of the kernel, which http.sys listens in.
const systemPID = 4

// TakenPort says who listens on a TCP port; nil where nobody does. It binds and never listens, so that no client
// takes it for the service, and no firewall asks.
func TakenPort(n int) *PortTaken {
	for _, family := range []uint32{windows.AF_INET, windows.AF_INET6} {
		if pid, ok := listener(family, n); ok {
			return &PortTaken{Port: n, Holder: Holder{PID: pid, Name: nameOf(pid)}}
		}
	}
	for _, at := range []windows.Sockaddr{&windows.SockaddrInet4{Port: n}, &windows.SockaddrInet6{Port: n}} {
		switch err := bind(at); {
		case errors.Is(err, windows.WSAEADDRINUSE):
			return &PortTaken{Port: n}
		case errors.Is(err, windows.WSAEACCES):
			return &PortTaken{Port: n, Reserved: true}
		}
	}
	return nil
}

// soExclusiveAddrUse is SO_EXCLUSIVEADDRUSE of winsock2.h, ^SO_REUSEADDR: without it all addresses could be had
// while somebody has one of them.
// https://learn.microsoft.com/en-us/windows/win32/winsock/using-so-reuseaddr-and-so-exclusiveaddruse
const soExclusiveAddrUse = ^windows.SO_REUSEADDR

func bind(at windows.Sockaddr) error {
	family := windows.AF_INET
	if _, six := at.(*windows.SockaddrInet6); six {
		family = windows.AF_INET6
	}
	s, err := windows.Socket(family, windows.SOCK_STREAM, windows.IPPROTO_TCP)
	if err != nil {
		return nil //nolint:nilerr // the system has no such addresses: nobody listens there
	}
	defer func() { _ = windows.Closesocket(s) }()
	_ = windows.SetsockoptInt(s, windows.SOL_SOCKET, soExclusiveAddrUse, 1)
	return windows.Bind(s, at)
}

var getExtendedTCPTable = windows.NewLazySystemDLL("iphlpapi.dll").NewProc("GetExtendedTcpTable")

// The table of TCP_TABLE_OWNER_PID_LISTENER: a count, then rows. Ports are in network order in the low half.
// https://learn.microsoft.com/en-us/windows/win32/api/iphlpapi/nf-iphlpapi-getextendedtcptable
const tableOfListeners = 3

// shape is that of a row: MIB_TCPROW_OWNER_PID or MIB_TCP6ROW_OWNER_PID.
type shape struct{ size, port, pid int }

var shapes = map[uint32]shape{
	windows.AF_INET:  {size: 24, port: 8, pid: 20},
	windows.AF_INET6: {size: 56, port: 20, pid: 52},
}

// listener finds the process that listens on a port.
func listener(family uint32, port int) (pid int, ok bool) {
	if getExtendedTCPTable.Find() != nil {
		return 0, false
	}
	size := uint32(16 << 10)
	for range 5 { // it may grow between two calls
		table := make([]byte, size)
		code, _, _ := getExtendedTCPTable.Call(uintptr(unsafe.Pointer(&table[0])), uintptr(unsafe.Pointer(&size)), 0, uintptr(family), tableOfListeners, 0)
		switch windows.Errno(code) {
		case 0:
			return listenerIn(table, shapes[family], port)
		case windows.ERROR_INSUFFICIENT_BUFFER:
			size += 4 << 10
		default:
			return 0, false
		}
	}
	return 0, false
}

func listenerIn(table []byte, s shape, port int) (pid int, ok bool) {
	if len(table) < 4 {
		return 0, false
	}
	rows := table[4:]
	for range binary.LittleEndian.Uint32(table) {
		if len(rows) < s.size {
			break
		}
		if int(binary.BigEndian.Uint16(rows[s.port:])) == port {
			return int(binary.LittleEndian.Uint32(rows[s.pid:])), true
		}
		rows = rows[s.size:]
	}
	return 0, false
}

// nameOf is the program of a process, as far as that may be seen.
func nameOf(pid int) string {
	if pid == systemPID {
		return "System"
	}
	h, err := windows.OpenProcess(windows.PROCESS_QUERY_LIMITED_INFORMATION, false, uint32(pid))
	if err != nil {
		return ""
	}
	defer windows.CloseHandle(h)
	path := make([]uint16, windows.MAX_LONG_PATH)
	n := uint32(len(path))
	if err := windows.QueryFullProcessImageName(h, 0, &path[0], &n); err != nil {
		return ""
	}
	return filepath.Base(windows.UTF16ToString(path[:n]))
}
