package e2e

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

// appendLine adds to a file that other programs add to at the same time.
func appendLine(file, format string, args ...any) error {
	f, err := os.OpenFile(file, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	if err = lockAppends(f); err == nil {
		_, err = fmt.Fprintf(f, format, args...)
	}
	return errors.Join(err, f.Close())
}

// register notes a child that is up where registered looks.
func register(file, tag string) error {
	return appendLine(file, "%s %d %d\n", tag, os.Getpid(), birth())
}

// untilUp waits until so many children have said in all that they are up: one that is stopped before it can listen
// may end in any way.
func (r *rig) untilUp(started int) {
	r.t.Helper()
	r.poll(fmt.Sprintf("%d children to be up", started), func() bool {
		b, _ := os.ReadFile(r.pids)
		return bytes.Count(b, []byte{'\n'}) == started
	})
}

const roleAppend = "e2e-append"

func init() { childRoles[roleAppend] = appendChild }

// appendChild is a program that adds lines to FILE: TAG COUNT FILE.
func appendChild(args []string) int {
	count, _ := strconv.Atoi(args[1])
	for n := range count {
		if err := appendLine(args[2], "%s %d\n", args[0], n); err != nil {
			fmt.Println(err)
			return 9
		}
	}
	return 0
}

// TestAppendedLinesAreAllThere holds what the other tests rest on when they count what their children wrote.
func TestAppendedLinesAreAllThere(t *testing.T) {
	const programs, count = 4, 50
	file := filepath.Join(t.TempDir(), "lines")
	ended := make(chan error, programs)
	for p := range programs {
		go func() {
			out, err := exec.CommandContext(t.Context(), self(t), roleAppend, strconv.Itoa(p), strconv.Itoa(count), file).CombinedOutput()
			if err != nil {
				err = fmt.Errorf("%w: %s", err, out)
			}
			ended <- err
		}()
	}
	for range programs {
		if err := <-ended; err != nil {
			t.Fatal(err)
		}
	}
	b, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	for p := range programs {
		for n := range count {
			if line := fmt.Sprintf("%d %d\n", p, n); strings.Count("\n"+string(b), "\n"+line) != 1 {
				t.Errorf("line %q is not there once", line)
			}
		}
	}
}
