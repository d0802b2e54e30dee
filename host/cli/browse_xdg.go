//go:build unix && !darwin

package cli

import (
	"errors"
	"os"
)

const opener = "xdg-open"

// desktop says why there is none. Root's browser, where it starts at all, is nobody's to use, and the command line
// that it would be started with is there for all to read.
func desktop() error {
	switch {
	case os.Getenv("DISPLAY") == "" && os.Getenv("WAYLAND_DISPLAY") == "":
		return errors.New("there is no desktop")
	case os.Geteuid() == 0:
		return errors.New("this is root")
	}
	return nil
}
