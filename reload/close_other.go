//go:build !linux

package reload

import "github.com/fsnotify/fsnotify"

// closeWatcher gives a watcher back.
func closeWatcher(fs *fsnotify.Watcher) { fs.Close() }
