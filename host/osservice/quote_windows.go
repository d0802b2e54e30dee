package osservice

import "golang.org/x/sys/windows"

// Words are the words of a command as Status has it.
func Words(command string) []string {
	words, err := windows.DecomposeCommandLine(command)
	if err != nil {
		return nil
	}
	return words
}
