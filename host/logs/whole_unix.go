//go:build unix

package logs

import "os"

// cutShort makes an open log end at size.
func cutShort(f *os.File, size int64) error { return f.Truncate(size) }
