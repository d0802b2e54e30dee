package requires

import (
	"bytes"
	"encoding/binary"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/sys/windows"

	"servicehost/spec"
)

// Wine tells who listens, and not which process that is.
var holdersAreSeen = windows.NewLazySystemDLL("ntdll.dll").NewProc("wine_get_version").Find() != nil

func TestListenersAreReadFromTheTable(t *testing.T) {
	var b bytes.Buffer
	put := func(v any) { _ = binary.Write(&b, binary.LittleEndian, v) }
	port := func(n uint16) { _ = binary.Write(&b, binary.BigEndian, n); put(uint16(0xbeef)) } // the upper half is not said to be 0
	put(uint32(2))
	for pid, n := range map[uint32]uint16{4: 80, 812: 8080} {
		put([2]uint32{2, 0x0100007f}) // listening, address
		port(n)
		put([2]uint32{}) // of the other side
		put(pid)
	}
	four := bytes.Clone(b.Bytes())
	b.Reset()
	put(uint32(1))
	put([20]byte{15: 1}) // address and scope
	port(443)
	put([24]byte{}) // of the other side
	put([2]uint32{2, 99})
	six := bytes.Clone(b.Bytes())
	for _, c := range []struct {
		table  []byte
		family uint32
		port   int
		pid    int
		ok     bool
	}{
		{four, windows.AF_INET, 80, 4, true}, {four, windows.AF_INET, 8080, 812, true}, {four, windows.AF_INET, 443, 0, false},
		{six, windows.AF_INET6, 443, 99, true}, {six[:40], windows.AF_INET6, 443, 0, false}, {nil, windows.AF_INET, 80, 0, false},
	} {
		if pid, ok := listenerIn(c.table, shapes[c.family], c.port); pid != c.pid || ok != c.ok {
			t.Errorf("port %d: process %d, %v, want %d, %v", c.port, pid, ok, c.pid, c.ok)
		}
	}
	if exe, err := os.Executable(); err != nil || nameOf(4) != "System" || nameOf(os.Getpid()) != filepath.Base(exe) {
		t.Errorf("processes are called %q and %q", nameOf(4), nameOf(os.Getpid()))
	}
}

func TestListenedPortIsInTheTable(t *testing.T) {
	l, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	if _, ok := listener(windows.AF_INET, l.Addr().(*net.TCPAddr).Port); !ok {
		t.Error("nobody is said to listen")
	}
}

func TestReservedPortSaysWhereToLook(t *testing.T) {
	for want, p := range map[string]PortTaken{
		"excludedportrange": {Port: 8080, Reserved: true}, "http show servicestate": {Port: 80, Holder: Holder{PID: 4, Name: "System"}},
	} {
		if !strings.Contains(p.Hint(), want) {
			t.Errorf("hint %q", p.Hint())
		}
	}
}

func TestServicesOfTheManagerAreAsked(t *testing.T) {
	got := check(t, spec.Requires{Services: []string{"NoSuchServiceHere", strings.Repeat("x", 300)}}, Env{})
	wantOnly(t, got, "NoSuchServiceHere of the system is not installed", "of the system is not installed")
	status, err := queryService("RpcSs") // every Windows has it running, Wine not always
	if err != nil {
		t.Fatal(err)
	}
	got = check(t, spec.Requires{Services: []string{"RpcSs"}}, Env{})
	if runs := status.CurrentState == windows.SERVICE_RUNNING; runs != (len(got) == 0) {
		t.Errorf("in state %d it is said: %q", status.CurrentState, got)
	}
	for state, want := range map[uint32]string{windows.SERVICE_STOPPED: "stopped", windows.SERVICE_START_PENDING: "still starting", windows.SERVICE_PAUSED: "paused", 99: "in state 99"} {
		if stateWord(state) != want {
			t.Errorf("state %d is %q", state, stateWord(state))
		}
	}
}
