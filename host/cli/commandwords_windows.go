package cli

import "golang.org/x/sys/windows"

// commandWords are the words of a command as the service manager tells it.
func commandWords(command string, _ int) []string {
	words, err := windows.DecomposeCommandLine(command)
	if err != nil {
		return nil
	}
	return words
}
