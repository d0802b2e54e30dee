package thresholds

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
)

// nativeKind is the end of the name of a native dump.
const nativeKind = ".core"

// native has gdb write the process, which stands still meanwhile, into a file that is there.
func (d *Dumper) native(ctx context.Context, root *os.Root, name string, pid int) error {
	gcore, err := lookGcore()
	if err != nil {
		return err
	}
	// gcore makes NAME.PID. The folder is the host's alone, so nobody has put a link there.
	part := name + "." + strconv.Itoa(pid)
	defer func() { _ = root.Remove(part) }()
	if err := d.run(ctx, []string{gcore, "-o", filepath.Join(d.dir, name), strconv.Itoa(pid)}); err != nil {
		return fmt.Errorf("gcore failed: %w", err)
	}
	info, err := root.Lstat(part)
	switch {
	case errors.Is(err, fs.ErrNotExist) || err == nil && !info.Mode().IsRegular():
		return errors.New("gcore wrote nothing")
	case err != nil:
		return err
	}
	if err := root.Chmod(part, 0o600); err != nil {
		return err
	}
	return root.Rename(part, name)
}

func lookGcore() (string, error) {
	path, err := exec.LookPath("gcore")
	if err != nil {
		return "", &HintError{"gcore is not installed", "it comes with gdb; or use dump_url where the program hands out its heap"}
	}
	return path, nil
}

// CanDump says what keeps this system from native dumps: a *HintError, or nil.
func CanDump() error {
	_, err := lookGcore()
	return err
}

// HelperMain is for systems where dumps are made by a helper: here they are not.
func HelperMain([]string) (handled bool, code int) { return false, 0 }
