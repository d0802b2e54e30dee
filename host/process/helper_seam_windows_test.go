package process

import (
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/sys/windows"
)

// callLog is a console and a desktop that only note what is asked of them.
type callLog struct {
	calls    []string
	consoles map[uint32][]uint32 // who is in the console of a process
	failing  map[string]syscall.Errno
	top      []topWindow
	queues   map[uint32][]uint32 // threads of processes; even ones take messages
}

func (l *callLog) note(format string, args ...any) error {
	call := fmt.Sprintf(format, args...)
	l.calls = append(l.calls, call)
	if code, bad := l.failing[call]; bad {
		return code
	}
	return nil
}

func (l *callLog) free()                                { l.note("FreeConsole") }
func (l *callLog) ignoreCtrlC()                         { l.note("ignore") }
func (l *callLog) takeEvents()                          { l.note("handle") }
func (l *callLog) generate(event, group uint32) error   { return l.note("generate %d %d", event, group) }
func (l *callLog) windows() ([]topWindow, error)        { return l.top, l.note("windows") }
func (l *callLog) threads([]uint32) map[uint32][]uint32 { return l.queues }
func (l *callLog) close(w topWindow) error              { return l.note("WM_CLOSE %d", w.handle) }

func (l *callLog) attach(pid uint32) error { return l.note("attach %d", pid) }

func (l *callLog) processes() []uint32 {
	for _, call := range slices.Backward(l.calls) {
		var pid uint32
		if n, _ := fmt.Sscanf(call, "attach %d", &pid); n == 1 {
			return l.consoles[pid]
		}
	}
	return nil
}

func (l *callLog) quit(thread uint32) error {
	if thread%2 == 1 {
		return windows.ERROR_INVALID_THREAD_ID
	}
	return l.note("WM_QUIT %d", thread)
}

// The order is what Windows needs: https://learn.microsoft.com/windows/console/setconsolectrlhandler says
// that attaching resets the handlers, generateconsolectrlevent that only group 0 gets a Ctrl-C.
func TestConsoleEventIsSentInTheRightOrder(t *testing.T) {
	for event, number := range map[uint32]int{ctrlC: 0, ctrlBreak: 1} {
		l := &callLog{consoles: map[uint32][]uint32{7: {7, 8, 99}, 9: {9}}}
		if code := sendConsoleEvent(l, event, []uint32{7, 8, 9}); code != 0 {
			t.Errorf("code %#x", code)
		}
		generate := fmt.Sprintf("generate %d 0", number)
		want := []string{"ignore", "FreeConsole",
			"attach 7", "ignore", "handle", generate, "FreeConsole",
			"attach 9", "ignore", "handle", generate, "FreeConsole"}
		if !slices.Equal(l.calls, want) {
			t.Errorf("calls %q, want %q", l.calls, want)
		}
	}
}

func TestConsoleEventSaysWhatFailed(t *testing.T) {
	for name, c := range map[string]struct {
		failing map[string]syscall.Errno
		code    int
		kind    ErrKind
		says    string
	}{
		"no console":  {map[string]syscall.Errno{"attach 7": windows.ERROR_INVALID_HANDLE}, ctrlAttach | 6, ErrUnsupported, "has no console for ctrl_c"},
		"not allowed": {map[string]syscall.Errno{"attach 7": windows.ERROR_ACCESS_DENIED}, ctrlAttach | 5, ErrPermission, "cannot reach the console"},
		"gone":        {map[string]syscall.Errno{"attach 7": windows.ERROR_INVALID_PARAMETER}, ctrlAttach | 87, ErrOther, "cannot reach the console"},
		"not sent":    {map[string]syscall.Errno{"generate 0 0": windows.ERROR_INVALID_HANDLE}, ctrlGenerate | 6, ErrOther, "cannot send ctrl_c"},
		"sent":        {nil, 0, "", ""},
	} {
		t.Run(name, func(t *testing.T) {
			l := &callLog{failing: c.failing}
			code := sendConsoleEvent(l, ctrlC, []uint32{7})
			if code != c.code {
				t.Fatalf("code %#x, want %#x", code, c.code)
			}
			err := ctrlError("ctrl_c", RunID{Service: "web"}, uint32(code))
			e, _ := errors.AsType[*Error](err)
			if c.kind == "" {
				if err != nil {
					t.Error(err)
				}
				return
			}
			if e == nil || e.Kind != c.kind || !strings.Contains(e.Message, c.says) {
				t.Errorf("error %+v", err)
			}
		})
	}
	// One console of several is enough.
	l := &callLog{failing: map[string]syscall.Errno{"attach 7": windows.ERROR_INVALID_HANDLE}}
	if code := sendConsoleEvent(l, ctrlC, []uint32{7, 8}); code != 0 {
		t.Errorf("code %#x", code)
	}
}

func TestCloseReachesEveryWindowAndWindowlessLoops(t *testing.T) {
	l := &callLog{
		top:    []topWindow{{100, 7}, {101, 7}, {102, 8}, {103, 1}},
		queues: map[uint32][]uint32{9: {40, 41, 42}},
	}
	if code := closeWindows(l, []uint32{7, 8, 9}); code != 0 {
		t.Errorf("code %#x", code)
	}
	if want := []string{"windows", "WM_CLOSE 100", "WM_CLOSE 101", "WM_CLOSE 102", "WM_QUIT 40", "WM_QUIT 42"}; !slices.Equal(l.calls, want) {
		t.Errorf("calls %q, want %q", l.calls, want)
	}
	none := &callLog{top: []topWindow{{103, 1}}, queues: map[uint32][]uint32{9: {41}}}
	if code := closeWindows(none, []uint32{9}); code != ctrlNoWindow {
		t.Errorf("code %#x for a program with neither", code)
	}
	if code := quitThreads(none, []uint32{9}); code != ctrlNoWindow || ctrlError("wm_quit", RunID{}, ctrlNoWindow) != nil {
		t.Errorf("code %#x for threads without messages", code)
	}
}

func TestHelperArguments(t *testing.T) {
	event, pids, ok := helperArgs([]string{"--event", "ctrl_c", "--pid", "7", "--pid=4294967295"})
	if !ok || event != "ctrl_c" || !slices.Equal(pids, []uint32{7, 4294967295}) {
		t.Errorf("%q %v %v", event, pids, ok)
	}
	for _, args := range [][]string{nil, {"--event", "ctrl_c"}, {"--pid"}, {"--pid", "-1"}, {"--pid", "4294967296"}, {"--pid", "7", "--else", "x"}} {
		if _, code := helperMain(append([]string{helperCtrl}, args...)); code != ctrlUsage {
			t.Errorf("%q: code %#x", args, code)
		}
	}
}

// The helper of a run under another account is that account, on its desktop, and sees little of the host.
func TestHelperRunsAsTheRun(t *testing.T) {
	t.Setenv("HOST_HELPER_SECRET", "xyzzy")
	b := &backend{opt: Options{Exe: `C:\with blank\host.exe`}}
	c := b.helper("--event", "close", "--pid", "7", "--pid", "8")
	if c.line != `"C:\with blank\host.exe" __ctrl --event close --pid 7 --pid 8` || c.path != b.opt.Exe || c.dir == "" {
		t.Errorf("line %s, path %s, dir %s", c.line, c.path, c.dir)
	}
	if env := windows.UTF16ToString(c.env); env != "SystemDrive="+os.Getenv("SystemDrive") {
		t.Errorf("environment begins with %q", env)
	}
	if n := len(c.env); slices.Contains(c.env, 'z') || c.env[n-1] != 0 || c.env[n-2] != 0 {
		t.Errorf("environment %q", windows.UTF16ToString(c.env))
	}

	if as := (&run{}).helperIdentity(); as != (helperIdentity{}) {
		t.Errorf("a run as the host itself has the helper %+v", as)
	}
	var own windows.Token
	if err := windows.OpenProcessToken(windows.CurrentProcess(), windows.TOKEN_QUERY|windows.TOKEN_DUPLICATE, &own); err != nil {
		t.Fatal(err)
	}
	desktop := `winsta0\default`
	u := &run{who: &identity{token: own, desktop: &desktop, session: true}}
	as := u.helperIdentity()
	own.Close() // the run is freed meanwhile
	defer as.free()
	if _, err := as.token.GetTokenUser(); err != nil {
		t.Errorf("the token of the helper: %v", err)
	}
	if as.desktop != &desktop || !as.session {
		t.Errorf("identity %+v", as)
	}
}

// The waiting helper answers one request after the other, and nothing but console events.
func TestServedConsoleEvents(t *testing.T) {
	l := &callLog{failing: map[string]syscall.Errno{"attach 9": windows.ERROR_INVALID_HANDLE}}
	in := strings.NewReader("ctrl_c 7\nctrl_break 8\nctrl_c 9\nclose 7\nctrl_c\nctrl_c x\n")
	var out strings.Builder
	if code := serveConsoleEvents(l, in, &out); code != 0 {
		t.Errorf("ended with %d", code)
	}
	want := fmt.Sprintf("0\n0\n%d\n%d\n%[2]d\n%[2]d\n", ctrlAttach|6, ctrlUsage)
	if out.String() != want {
		t.Errorf("answers %q, want %q", out.String(), want)
	}
	if !slices.Contains(l.calls, "generate 0 0") || !slices.Contains(l.calls, "generate 1 0") {
		t.Errorf("calls %q", l.calls)
	}
}
