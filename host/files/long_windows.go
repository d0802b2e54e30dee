package files

import (
	"path/filepath"
	"strings"
)

// longFrom is the length from which a path needs its long form: names of folders end at 248.
// https://learn.microsoft.com/en-us/windows/win32/fileio/maximum-file-path-limitation
const longFrom = 248

// Long is a path in the form that Windows takes at any length, for calls that Go makes no such form for. A
// short path stays as it is.
func Long(path string) string {
	if len(path) < longFrom || strings.HasPrefix(path, `\\?\`) || strings.HasPrefix(path, `\\.\`) {
		return path
	}
	full, err := filepath.Abs(path)
	if err != nil {
		return path
	}
	if rest, ok := strings.CutPrefix(full, `\\`); ok {
		return `\\?\UNC\` + rest
	}
	return `\\?\` + full
}
