//go:build unix

package cli

import (
	"fmt"
	"os"
	"strings"
)

// commandWords are the words of a command as the service manager tells it. systemd tells them without
// quotes; those of the process that runs are exact.
func commandWords(command string, pid int) []string {
	if pid > 0 {
		if b, err := os.ReadFile(fmt.Sprintf("/proc/%d/cmdline", pid)); err == nil && len(b) > 0 {
			words := strings.Split(strings.TrimSuffix(string(b), "\x00"), "\x00")
			if strings.HasPrefix(command, words[0]+" ") || command == words[0] {
				return words
			}
		}
	}
	return strings.Fields(command)
}
