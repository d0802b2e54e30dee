//go:build linux || windows

package process

import "time"

// hitEvery is how often a limit is reported at most: a tree that keeps running into one does so often.
const hitEvery = time.Second
