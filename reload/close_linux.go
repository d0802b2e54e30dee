package reload

import (
	"time"

	"github.com/fsnotify/fsnotify"
)

// markPause is how long after its last watch an inotify descriptor is closed. The kernel takes two grace periods, one for
// the folder's list of watches and one for the watch. Where they meet, it does not hurry the second one, and close(2) waits
// for two or four ticks, 8 or 16 ms at 250 Hz, one time in ten or, on a busy machine, in two. Apart they take 0.2 ms.
// fs/notify/mark.c: fsnotify_connector_destroy_workfn, fsnotify_wait_marks_destroyed.
const markPause = 500 * time.Microsecond

// closeWatcher gives a watcher back. The host can't end before that is done: the kernel closes nothing behind its back.
func closeWatcher(fs *fsnotify.Watcher) {
	for _, path := range fs.WatchList() {
		_ = fs.Remove(path) // it may be gone with its folder
	}
	time.Sleep(markPause)
	fs.Close()
}
