package doctor

import (
	"bytes"
	"context"
	"errors"
	"os/exec"
	"time"
)

// output runs a program for what it says of its version.
func output(ctx context.Context, path string, args []string, dir string, env []string) (string, bool, error) {
	cmd := exec.CommandContext(ctx, path, args...)
	cmd.Dir, cmd.Env = dir, env
	cmd.WaitDelay = time.Second // something that it left behind may hold its output
	var out head
	cmd.Stdout, cmd.Stderr = &out, &out
	err := cmd.Run()
	if _, ended := errors.AsType[*exec.ExitError](err); ended {
		return out.String(), false, nil
	}
	return out.String(), err == nil, err
}

// head keeps the beginning of what is written.
type head struct{ bytes.Buffer }

const maxHead = 16 << 10

func (h *head) Write(p []byte) (int, error) {
	h.Buffer.Write(p[:min(len(p), maxHead-h.Len())])
	return len(p), nil
}
