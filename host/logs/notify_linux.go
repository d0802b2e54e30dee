package logs

import (
	"time"

	"github.com/fsnotify/fsnotify"
)

// How often everything is looked at: where changes of files are told, and where they are not.
const (
	pollTold   = time.Second
	pollUntold = 500 * time.Millisecond
)

// newNotifier tells of changes in folders; nil: it can't, as when the user's inotify instances are used up.
func newNotifier() *fsnotify.Watcher {
	w, err := fsnotify.NewWatcher()
	if err != nil {
		return nil
	}
	return w
}
