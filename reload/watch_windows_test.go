package reload

import (
	"path/filepath"
	"testing"

	"golang.org/x/sys/windows"
)

func TestWatchWaitsForALockedFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "services.yaml")
	write(t, path, "one")
	w := watching(t, load(path))
	name, err := windows.UTF16PtrFromString(path)
	must(t, err)
	h, err := windows.CreateFile(name, windows.GENERIC_WRITE, 0, nil, windows.OPEN_EXISTING, 0, 0)
	must(t, err)
	var n uint32
	must(t, windows.WriteFile(h, []byte("two"), &n, nil))
	staysQuiet(t, w, func() { signal(w.poke) })
	must(t, windows.CloseHandle(h))
	triggers(t, w)
	settles(t, w, path)
}
