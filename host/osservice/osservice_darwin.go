package osservice

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
)

// daemonDir is where launchd looks for the daemons of the administrator.
const daemonDir = "/Library/LaunchDaemons"

// New returns the service manager of this system.
func New() (Installer, error) {
	return &launchd{dir: daemonDir, launchctl: launchctl, front: kardianosFront, root: os.Geteuid() == 0}, nil
}

func launchctl(ctx context.Context, args ...string) (string, error) {
	out, err := exec.CommandContext(ctx, "launchctl", args...).CombinedOutput()
	if ctx.Err() != nil {
		return string(out), fmt.Errorf("not done in time: %w", ctx.Err())
	}
	if text := oneLine(string(out)); err != nil && text != "" {
		return string(out), errors.New(text)
	}
	return string(out), err
}
