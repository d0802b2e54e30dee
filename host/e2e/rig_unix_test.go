//go:build unix

package e2e

import (
	"os"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
	"testing"
)

func hostConsole(*exec.Cmd) {}

func askToEnd(c *exec.Cmd) error { return c.Process.Signal(syscall.SIGTERM) }

// birth tells this process from another with its number, where nothing else does.
func birth() int64 { return 0 }

// processAlive reports whether pid is a living child of a test, not another process with its number.
func processAlive(pid int, _ int64, mark string) bool {
	if syscall.Kill(pid, 0) != nil {
		return false
	}
	b, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/cmdline")
	if err != nil {
		return true // no /proc here
	}
	return strings.Contains(string(b), mark)
}

// inSystemPage is text as auto decodes it: there are no code pages, bytes stay as they are.
func inSystemPage(_ *testing.T, text string) string { return text }

func detach(c *exec.Cmd) { c.SysProcAttr = &syscall.SysProcAttr{Setsid: true} }

// openAlone can't keep others away here.
func openAlone(path string) (*os.File, error) { return os.Create(path) }

// floodEnv is what a command that reads a flood needs besides.
func floodEnv(*testing.T) []string { return nil }
