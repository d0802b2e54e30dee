//go:build !linux && !windows

package thresholds

import (
	"context"
	"os"
)

// nativeKind is the end of the name of a native dump.
const nativeKind = ".core"

func (d *Dumper) native(context.Context, *os.Root, string, int) error {
	return CanDump()
}

// CanDump says what keeps this system from native dumps: a *HintError.
func CanDump() error {
	return &HintError{"no process can be dumped on this system", "use dump_url where the program hands out its heap"}
}

// HelperMain is for systems where dumps are made by a helper: here they are not.
func HelperMain([]string) (handled bool, code int) { return false, 0 }
