package host

import "os"

// hangups: Windows has no SIGHUP; the service manager's control PARAMCHANGE has its place.
func hangups() (<-chan os.Signal, func()) { return nil, func() {} }
