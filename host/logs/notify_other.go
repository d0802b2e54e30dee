//go:build !linux

package logs

import (
	"time"

	"github.com/fsnotify/fsnotify"
)

// How often everything is looked at: where changes of files are told, and where they are not.
const (
	pollTold   = time.Second
	pollUntold = 250 * time.Millisecond
)

// newNotifier returns nil: Windows tells of a file that grows only when that is closed, and kqueue
// wants every file of a folder opened for it.
func newNotifier() *fsnotify.Watcher { return nil }
