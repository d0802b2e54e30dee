//go:build !linux

package logs

import "os"

// reserveSpace can't be asked without making the file longer here: the write itself finds out.
func reserveSpace(*os.File, int64, int64) error { return nil }
