package reload

import (
	"path/filepath"
	"testing"
	"time"

	"golang.org/x/sys/windows"
)

// pollOfNewFolders: Wine knows folders below a watched one by the numbers of their inodes, and takes one that got the
// number of a deleted folder for that one, which it watches already. Then only a poll tells of what is written there.
// https://gitlab.winehq.org/wine/wine/-/blob/wine-8.0/server/change.c
const pollOfNewFolders = 2 * time.Second

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
