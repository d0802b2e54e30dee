//go:build unix && !linux && !darwin

package osservice

import "errors"

// New returns the service manager of this system.
func New() (Installer, error) {
	return nil, errors.New("this system has no service manager that host can be installed under; have its own start: host run --last-good -f FILE")
}
