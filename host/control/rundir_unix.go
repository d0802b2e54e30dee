//go:build unix

package control

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"syscall"

	"servicehost/host/human"
)

// maxAddress is below the size of sun_path on every system we run on (104 on macOS and BSD).
const maxAddress = 100

// runDir returns the folder in which this account's hosts register, made where it is missing.
func runDir() (string, error) {
	if dir := os.Getenv(runDirVariable); dir != "" {
		return makeRunDir(absolute(dir), 0o700)
	}
	uid := os.Geteuid()
	if uid == 0 {
		// Open to all for passing through, so that the control group reaches the sockets in it.
		return makeRunDir(systemRunDir, 0o755)
	}
	if base := os.Getenv("XDG_RUNTIME_DIR"); filepath.IsAbs(base) && len(base) < maxAddress-len("/servicehost/0123456789abcdef.sock") {
		if dir, err := makeRunDir(filepath.Join(base, "servicehost"), 0o700); err == nil {
			return dir, nil
		}
	}
	return makeRunDir(userRunDir(os.TempDir(), uid), 0o700)
}

// lookupDirs returns the folders in which hosts that concern this account may be registered.
func lookupDirs() []string {
	if dir := os.Getenv(runDirVariable); dir != "" {
		return trusted(absolute(dir))
	}
	uid := os.Geteuid()
	if uid == 0 {
		return trusted(systemRunDir)
	}
	var dirs []string
	if base := os.Getenv("XDG_RUNTIME_DIR"); filepath.IsAbs(base) {
		dirs = append(dirs, filepath.Join(base, "servicehost"))
	}
	// A host that cron started has neither the session's variable nor its TMPDIR.
	dirs = append(dirs,
		filepath.Join("/run/user", strconv.Itoa(uid), "servicehost"),
		userRunDir(os.TempDir(), uid), userRunDir("/tmp", uid), systemRunDir)
	return trusted(dirs...)
}

func userRunDir(base string, uid int) string {
	return filepath.Join(base, "servicehost-"+strconv.Itoa(uid))
}

func makeRunDir(dir string, mode fs.FileMode) (string, error) {
	if err := os.Mkdir(dir, mode); err != nil && !errors.Is(err, fs.ErrExist) {
		return "", fmt.Errorf("cannot create the run directory: %w", err)
	}
	if err := checkDir(dir, os.Geteuid()); err != nil {
		return "", fmt.Errorf("cannot use the run directory %s: %w", human.Path(dir), err)
	}
	// The mode given to Mkdir is narrowed by the umask.
	if err := os.Chmod(dir, mode); err != nil {
		return "", fmt.Errorf("cannot use the run directory: %w", err)
	}
	return dir, nil
}

// trusted keeps the folders whose content nobody but this account or root could have written.
func trusted(dirs ...string) []string {
	var kept []string
	seen := map[string]bool{}
	for _, dir := range dirs {
		if seen[dir] {
			continue
		}
		seen[dir] = true
		if checkDir(dir, os.Geteuid()) == nil || checkDir(dir, 0) == nil {
			kept = append(kept, dir)
		}
	}
	return kept
}

func checkDir(dir string, owner int) error {
	info, err := os.Lstat(dir)
	if err != nil {
		return err
	}
	if !info.IsDir() {
		return errors.New("it is not a folder")
	}
	if st, ok := info.Sys().(*syscall.Stat_t); !ok || int(st.Uid) != owner {
		return errors.New("it belongs to another user")
	}
	if info.Mode().Perm()&0o022 != 0 {
		return errors.New("others may write to it")
	}
	return nil
}

// ownDir reports whether this account may tidy a run directory up.
func ownDir(dir string) bool { return checkDir(dir, os.Geteuid()) == nil }

func processAlive(pid int) bool {
	err := syscall.Kill(pid, 0)
	return pid > 0 && (err == nil || errors.Is(err, syscall.EPERM))
}
