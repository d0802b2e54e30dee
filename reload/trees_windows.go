package reload

import (
	"errors"
	"os"
	"path/filepath"
	"sync"
	"unsafe"

	"golang.org/x/sys/windows"
)

// trees watches folders with all that lies below them. fsnotify watches one folder at a time, and a folder that
// is open can't be renamed together with those above it, so a watch on each subfolder would be in the way of a
// deployment; one that looks into the tree holds nothing but its top.
// https://learn.microsoft.com/windows/win32/api/winbase/nf-winbase-readdirectorychangesw
type trees struct {
	// report is told the top of a tree and what in it changed, empty where events are missing. It must not block.
	report func(top, path string)

	mu    sync.Mutex
	port  windows.Handle
	next  uintptr
	open  map[string]*tree  // by top
	all   map[uintptr]*tree // by key: closed ones, too, until the system has let go of their buffers
	ended chan struct{}
}

// treeBuffer is the most that a server of a network drive takes.
const treeBuffer = 64 << 10

type tree struct {
	overlapped windows.Overlapped // first, for the buffer has to be aligned
	buffer     [treeBuffer]byte
	key        uintptr
	top        string
	handle     windows.Handle
	info       os.FileInfo
}

const treeChanges = windows.FILE_NOTIFY_CHANGE_FILE_NAME | windows.FILE_NOTIFY_CHANGE_DIR_NAME |
	windows.FILE_NOTIFY_CHANGE_SIZE | windows.FILE_NOTIFY_CHANGE_LAST_WRITE

// arrange watches the trees below these folders and no others. A folder that can't be watched so is left to polls.
func (t *trees) arrange(tops map[string]bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for top, tr := range t.open {
		if now, err := os.Stat(top); !tops[top] || err != nil || !os.SameFile(tr.info, now) {
			t.dropLocked(tr)
		}
	}
	for top := range tops {
		if t.open[top] == nil {
			_ = t.addLocked(top) // see above
		}
	}
}

func (t *trees) addLocked(top string) error {
	info, err := os.Stat(top)
	if err != nil {
		return err
	}
	os.SameFile(info, info) // its identity is looked up only now
	if t.ended == nil {
		if t.port, err = windows.CreateIoCompletionPort(windows.InvalidHandle, 0, 0, 1); err != nil {
			return err
		}
		t.open, t.all, t.ended = map[string]*tree{}, map[uintptr]*tree{}, make(chan struct{})
		go t.run()
	}
	name, err := windows.UTF16PtrFromString(top)
	if err != nil {
		return err
	}
	h, err := windows.CreateFile(name, windows.FILE_LIST_DIRECTORY, windows.FILE_SHARE_READ|windows.FILE_SHARE_WRITE|windows.FILE_SHARE_DELETE,
		nil, windows.OPEN_EXISTING, windows.FILE_FLAG_BACKUP_SEMANTICS|windows.FILE_FLAG_OVERLAPPED, 0)
	if err != nil {
		return err
	}
	t.next++
	tr := &tree{key: t.next, top: top, handle: h, info: info}
	if _, err = windows.CreateIoCompletionPort(h, t.port, tr.key, 0); err == nil {
		err = tr.read()
	}
	if err != nil {
		return errors.Join(err, windows.CloseHandle(h))
	}
	t.open[top], t.all[tr.key] = tr, tr
	return nil
}

func (tr *tree) read() error {
	return windows.ReadDirectoryChanges(tr.handle, &tr.buffer[0], treeBuffer, true, treeChanges, nil, &tr.overlapped, 0)
}

// dropLocked ends a watch. What it reads into is kept until the system says that it has ended.
func (t *trees) dropLocked(tr *tree) {
	if t.open[tr.top] == tr {
		delete(t.open, tr.top)
		_ = windows.CancelIoEx(tr.handle, &tr.overlapped) // nothing may be under way
		_ = windows.CloseHandle(tr.handle)                // of a folder that may be gone
	}
}

// stopKey ends run.
const stopKey = 0

func (t *trees) run() {
	defer close(t.ended)
	stopping := false
	for {
		var n uint32
		var key uintptr
		var o *windows.Overlapped
		err := windows.GetQueuedCompletionStatus(t.port, &n, &key, &o, windows.INFINITE)
		if o == nil && err != nil {
			return // the port itself is of no use
		}
		if key == stopKey {
			stopping = true
		} else {
			t.took(key, n, err)
		}
		if t.left(stopping) {
			return
		}
	}
}

// left reports whether nothing is read any more, after the end was asked for.
func (t *trees) left(stopping bool) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	return stopping && len(t.all) == 0
}

// took takes what was read of one tree, and reads on.
func (t *trees) took(key uintptr, n uint32, err error) {
	t.mu.Lock()
	tr := t.all[key]
	gone := tr == nil || t.open[tr.top] != tr
	if gone || err != nil && !errors.Is(err, windows.ERROR_NOTIFY_ENUM_DIR) {
		if tr != nil { // also one whose folder was removed; the watch above it tells of that
			t.dropLocked(tr)
			delete(t.all, key)
		}
		t.mu.Unlock()
		return
	}
	names := changedNames(tr.buffer[:min(int(n), treeBuffer)])
	if tr.read() != nil {
		t.dropLocked(tr)
		delete(t.all, key)
	}
	t.mu.Unlock()
	if len(names) == 0 { // there were more than the buffer holds
		t.report(tr.top, "")
	}
	for _, name := range names {
		t.report(tr.top, filepath.Join(tr.top, name))
	}
}

// changedNames are the names in a list of FILE_NOTIFY_INFORMATION.
// https://learn.microsoft.com/windows/win32/api/winnt/ns-winnt-file_notify_information
func changedNames(b []byte) (names []string) {
	const head = int(unsafe.Offsetof(windows.FileNotifyInformation{}.FileName))
	for len(b) >= head {
		info := (*windows.FileNotifyInformation)(unsafe.Pointer(unsafe.SliceData(b)))
		if int(info.FileNameLength) > len(b)-head {
			break
		}
		names = append(names, windows.UTF16ToString(unsafe.Slice(&info.FileName, info.FileNameLength/2)))
		if info.NextEntryOffset == 0 || int(info.NextEntryOffset) > len(b) {
			break
		}
		b = b[info.NextEntryOffset:]
	}
	return names
}

// close ends all watches and returns when the system has let go of them.
func (t *trees) close() {
	t.mu.Lock()
	if t.ended == nil {
		t.mu.Unlock()
		return
	}
	for _, tr := range t.open {
		t.dropLocked(tr)
	}
	port, ended := t.port, t.ended
	t.mu.Unlock()
	if windows.PostQueuedCompletionStatus(port, 0, stopKey, nil) == nil {
		<-ended
		_ = windows.CloseHandle(port)
	}
}
