//go:build unix

package cli

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/signal"
	"os/user"
	"path/filepath"
	"strconv"
	"syscall"
)

// systemSpec is where an installed host finds its spec.
func systemSpec() string { return "/etc/servicehost/" + specName }

// enableColors reports whether a terminal takes escape sequences.
func enableColors(*os.File) bool { return os.Getenv("TERM") != "dumb" }

// surviveClosedOutput keeps a host alive whose output went into a pipe that is closed now. The signal
// is taken rather than ignored, as children would inherit that it is ignored.
func surviveClosedOutput() { signal.Notify(make(chan os.Signal, 1), syscall.SIGPIPE) }

var endSignals = []os.Signal{os.Interrupt, syscall.SIGTERM}

// needsPassword reports whether the service manager wants the password of an account: none does here.
func needsPassword(string) bool { return false }

// warnOfAccount has nothing to say: systemd and launchd start services as root, and who knows them knows that.
func warnOfAccount(string, string) string { return "" }

// makeFolders makes the places of an installed host for the account that it runs as, so that one without
// the right to write in /var finds them.
func makeFolders(state, logs, account string) error {
	uid, gid := -1, -1
	if account != "" && account != "root" {
		u, err := user.Lookup(account)
		if err != nil {
			return fmt.Errorf("cannot make the folders of the service: %w", err)
		}
		uid, gid = atoi(u.Uid), atoi(u.Gid)
	}
	for _, f := range []struct {
		path string
		mode os.FileMode
	}{{state, 0o700}, {logs, 0o750}} {
		if err := os.MkdirAll(filepath.Dir(f.path), 0o755); err != nil {
			return fmt.Errorf("cannot make the folders of the service: %w", err)
		}
		if err := os.Mkdir(f.path, f.mode); errors.Is(err, fs.ErrExist) {
			continue // an operator may have given it to somebody
		} else if err != nil {
			return fmt.Errorf("cannot make the folders of the service: %w", err)
		}
		if err := os.Lchown(f.path, uid, gid); err != nil {
			return fmt.Errorf("cannot make the folders of the service: %w", err)
		}
	}
	return nil
}

func atoi(s string) int {
	if n, err := strconv.Atoi(s); err == nil {
		return n
	}
	return -1
}
