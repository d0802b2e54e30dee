package cli

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"

	"golang.org/x/sys/windows"

	"servicehost/host/files"
)

// systemSpec is where an installed host finds its spec.
func systemSpec() string {
	base := os.Getenv("ProgramData")
	if base == "" {
		base = `C:\ProgramData`
	}
	return filepath.Join(base, "servicehost", specName)
}

// enableColors reports whether a console takes escape sequences; older ones have to be asked to.
func enableColors(f *os.File) bool {
	var mode uint32
	h := windows.Handle(f.Fd())
	if windows.GetConsoleMode(h, &mode) != nil {
		return false
	}
	return mode&windows.ENABLE_VIRTUAL_TERMINAL_PROCESSING != 0 ||
		windows.SetConsoleMode(h, mode|windows.ENABLE_VIRTUAL_TERMINAL_PROCESSING) == nil
}

// surviveClosedOutput has nothing to do: a closed pipe is an error of the write here.
func surviveClosedOutput() {}

// The runtime makes SIGTERM of a console that is closed, a logoff and a shutdown.
var endSignals = []os.Signal{os.Interrupt, syscall.SIGTERM}

// needsPassword reports whether the service manager wants the password of an account: that of a user.
// Those of the system, virtual and managed ones ("$" at the end) have none.
func needsPassword(account string) bool {
	domain, name, ok := strings.Cut(account, `\`)
	if !ok {
		return strings.Contains(account, "@")
	}
	if domain == "." && strings.EqualFold(name, "LocalSystem") {
		return false
	}
	for _, own := range []string{"NT AUTHORITY", "NT SERVICE", "IIS APPPOOL"} {
		if strings.EqualFold(domain, own) {
			return false
		}
	}
	return !strings.HasSuffix(name, "$")
}

// warnOfAccount says what an account that nobody chose means; empty: nothing.
func warnOfAccount(service, account string) string {
	if account != "" {
		return ""
	}
	return fmt.Sprintf(`the service runs as LocalSystem, which may do anything on this machine, and so may every child without "user"; `+
		`for less, give --account "NT SERVICE\%s" and that account rights on the folders it needs, or --account LocalSystem if it has to be so`, service)
}

// makeFolders makes the places of an installed host for the account that it runs as: one without the rights
// of an administrator could not use the folder that all hosts share.
func makeFolders(state, logs, account string) error {
	return errors.Join(files.MakePrivateDirFor(state, 0o700, account), files.MakePrivateDirFor(logs, 0o750, account))
}
