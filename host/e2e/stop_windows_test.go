package e2e

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"
	"unsafe"

	"github.com/Microsoft/go-winio"
	"golang.org/x/sys/windows"
)

// What this system calls the step ctrl_c, and the first of the default ones.
const (
	ctrlCStep   = "ctrl_c"
	defaultStep = "ctrl_c"
)

var (
	user32   = windows.NewLazySystemDLL("user32.dll")
	kernel32 = windows.NewLazySystemDLL("kernel32.dll")
)

const (
	wmDestroy = 0x0002
	wmClose   = 0x0010
)

// stopChildHere has the ways of programs with windows: "window" goes when it is closed, "hider" only hides
// its window then, "loop" has none and takes messages. All tell what they got.
func stopChildHere(way string, up func()) int {
	runtime.LockOSThread() // windows and messages belong to a thread
	kernel32.NewProc("FreeConsole").Call()
	if way == "window" || way == "hider" {
		if err := openWindow(way == "hider"); err != nil {
			fmt.Println("cannot open a window:", err)
			return 9
		}
	}
	var m struct {
		window         uintptr
		message        uint32
		wparam, lparam uintptr
		time           uint32
		x, y           int32
		private        uint32
	}
	// The first call makes the queue: until then nothing can be posted to the thread.
	user32.NewProc("PeekMessageW").Call(uintptr(unsafe.Pointer(&m)), 0, 0, 0, 0)
	up()
	get, dispatch := user32.NewProc("GetMessageW"), user32.NewProc("DispatchMessageW")
	for {
		r, _, err := get.Call(uintptr(unsafe.Pointer(&m)), 0, 0, 0)
		switch int32(r) {
		case 0:
			fmt.Println("the message loop ends")
			return 0
		case -1:
			fmt.Println("GetMessage:", err)
			return 9
		}
		dispatch.Call(uintptr(unsafe.Pointer(&m)))
	}
}

func openWindow(hides bool) error {
	name, err := windows.UTF16PtrFromString("host-e2e")
	if err != nil {
		return err
	}
	class := struct {
		size, style                        uint32
		procedure                          uintptr
		classExtra, windowExtra            int32
		instance, icon, cursor, background uintptr
		menu, name                         *uint16
		smallIcon                          uintptr
	}{name: name}
	class.size = uint32(unsafe.Sizeof(class))
	byDefault, hide, postQuit := user32.NewProc("DefWindowProcW"), user32.NewProc("ShowWindow"), user32.NewProc("PostQuitMessage")
	class.procedure = syscall.NewCallback(func(window, message, wparam, lparam uintptr) uintptr {
		switch message {
		case wmClose:
			fmt.Println("got WM_CLOSE")
			if hides {
				hide.Call(window, 0)
				return 0
			}
		case wmDestroy:
			postQuit.Call(0)
		}
		r, _, _ := byDefault.Call(window, message, wparam, lparam)
		return r
	})
	if r, _, err := user32.NewProc("RegisterClassExW").Call(uintptr(unsafe.Pointer(&class))); r == 0 {
		return err
	}
	const overlappedVisible = 0x10CF0000
	r, _, err := user32.NewProc("CreateWindowExW").Call(0, uintptr(unsafe.Pointer(name)), uintptr(unsafe.Pointer(name)),
		overlappedVisible, 10, 10, 200, 100, 0, 0, 0, 0)
	if r == 0 {
		return err
	}
	return nil
}

// TestStopLadderOfWindows stops programs with windows, a batch file and what nothing but force ends.
func TestStopLadderOfWindows(t *testing.T) {
	r := newRig(t)
	batch := filepath.Join(r.dir, "run it.bat")
	var line strings.Builder
	for _, a := range []string{self(t), roleStopChild, "mute", "batch", r.pids, "same"} {
		fmt.Fprintf(&line, `"%s" `, filepath.FromSlash(a))
	}
	if err := os.WriteFile(batch, []byte("@echo off\r\n"+line.String()+"\r\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	command, _ := json.Marshal([]string{filepath.ToSlash(batch)})
	r.runStopCases([]stopCase{
		{"window", svc("window", r.stopCommand("window", "window"), "stop: {steps: [{close: 40s}], timeout: 50s}"), 0, 15 * time.Second,
			[]string{"step close"}},
		{"hider", svc("hider", r.stopCommand("hider", "hider"), "stop: {steps: [{close: 6s}], timeout: 50s}"), time.Second, patience,
			[]string{"step close", "step close: still there"}},
		{"loop", svc("loop", r.stopCommand("loop", "loop"), "stop: {steps: [{close: 40s}], timeout: 50s}"), 0, 15 * time.Second,
			[]string{"step close"}},
		{"default", svc("default", r.stopCommand("window", "default"), "stop: {timeout: 50s}"), 0, 15 * time.Second,
			[]string{"step ctrl_c", "warning stop step ctrl_c of service \"default\" did not work", "step close"}},
		{"windowless", svc("windowless", r.stopCommand("mute", "windowless"), "stop: {steps: [{close: 40s}], timeout: 50s}"), 0, 15 * time.Second,
			[]string{"step close", "warning stop step close of service \"windowless\" did not work", "killed "}},
		{"batch", svc("batch", string(command), "stop: {steps: [{ctrl_c: 500ms}], timeout: 10s}"), 0, patience, nil},
	})
	for id, text := range map[string]string{"window": "got WM_CLOSE", "hider": "got WM_CLOSE", "loop": "the message loop ends", "default": "got WM_CLOSE"} {
		if out := r.must(0, "logs", id, "-n", "20"); !strings.Contains(out, text) || !strings.Contains(out, "the message loop ends") {
			t.Errorf("%s was to say %q, its log has:\n%s", id, text, out)
		}
	}
	if tags := slices.Collect(maps.Values(r.everStarted())); !slices.Contains(tags, "batch-same") {
		t.Errorf("the batch file started %v", tags)
	}
}

func holdings(r *rig) holding {
	r.t.Helper()
	out, err := controlGet(r, "/debug/vars")
	if err != nil {
		r.t.Fatal(err)
	}
	var v struct{ Goroutines int }
	if err := json.Unmarshal([]byte(out), &v); err != nil {
		r.t.Fatalf("debug/vars: %v\n%s", err, out)
	}
	return holding{handles: handlesOf(r.t, r.host.Process.Pid), goroutines: v.Goroutines}
}

// handleSlack is for threads that the runtime starts meanwhile, with a few handles each.
const handleSlack = 12

func controlGet(r *rig, path string) (string, error) {
	client := r.client()
	tr := &http.Transport{DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return winio.DialPipeContext(ctx, client.Entry().Address)
	}}
	defer tr.CloseIdleConnections()
	req, err := http.NewRequestWithContext(r.t.Context(), http.MethodGet, "http://host"+path, nil)
	if err != nil {
		return "", err
	}
	resp, err := tr.RoundTrip(req)
	if err != nil {
		return "", err
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	return string(b), err
}

// handlesOf counts the handles of a process. It goes through all of the system: Wine's own count is always 0.
func handlesOf(t *testing.T, pid int) int {
	t.Helper()
	type entry struct {
		object          uintptr
		pid             uintptr
		handle          uintptr
		access          uint32
		creator, kind   uint16
		attributes, pad uint32
	}
	for size := 1 << 20; ; size *= 2 {
		buf := make([]uintptr, size/int(unsafe.Sizeof(uintptr(0))))
		var n uint32
		err := windows.NtQuerySystemInformation(windows.SystemExtendedHandleInformation, unsafe.Pointer(&buf[0]), uint32(size), &n)
		if err == windows.STATUS_INFO_LENGTH_MISMATCH && size < 1<<28 {
			continue
		}
		if err != nil {
			t.Fatalf("cannot list handles: %v", err)
		}
		count := 0
		for _, e := range unsafe.Slice((*entry)(unsafe.Pointer(&buf[2])), int(buf[0])) {
			if int(e.pid) == pid {
				count++
			}
		}
		if count == 0 {
			t.Fatalf("no handle of process %d among %d", pid, buf[0])
		}
		return count
	}
}
