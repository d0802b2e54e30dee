//go:build unix

package requires

import (
	"context"
	"errors"
	"os/exec"
	"strings"
	"time"
)

// ask runs a tool of the system that tells how a service is, and returns the first line of its answer.
func ask(ctx context.Context, name string, args ...string) (string, error) {
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.WaitDelay = time.Second
	out, err := cmd.Output()
	text := strings.TrimSpace(string(out))
	if _, ended := errors.AsType[*exec.ExitError](err); ended && ctx.Err() == nil {
		err = nil // its answer says more than its exit code
	}
	return text, err
}
