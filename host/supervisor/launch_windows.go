package supervisor

import (
	"io/fs"
	"path/filepath"
	"slices"
	"strings"

	"golang.org/x/sys/windows"
)

const (
	pathSeparators = `/\`
	// searchBase: a bare name is looked for in the folder of the spec first, as Windows users expect.
	searchBase = true
)

// foldEnv: the names of variables differ by more than case only to people.
func foldEnv(name string) string { return strings.ToUpper(name) }

// minimalNames are what a child gets of an environment with inherit_env: false.
var minimalNames = []string{"PATH", "PATHEXT", "SYSTEMROOT", "SYSTEMDRIVE", "WINDIR", "COMSPEC", "TEMP", "TMP", "NUMBER_OF_PROCESSORS", "PROCESSOR_ARCHITECTURE"}

// minimalEnv is what a child gets of the host's environment with inherit_env: false: without these
// most Windows programs don't start.
func minimalEnv(host []string) []string {
	var out []string
	for _, kv := range host {
		k, _, _ := strings.Cut(kv, "=")
		if slices.Contains(minimalNames, strings.ToUpper(k)) {
			out = append(out, kv)
		}
	}
	return out
}

// findExecutable finds path itself, or with one of the endings of PATHEXT.
func findExecutable(path string, vars []string) (string, error) {
	if filepath.Ext(path) != "" {
		if err := isFile(path); err == nil {
			return path, nil
		}
	}
	exts := lookup(vars, "PATHEXT")
	if exts == "" {
		exts = ".COM;.EXE"
	}
	for ext := range strings.SplitSeq(exts, ";") {
		if ext != "" && isFile(path+ext) == nil {
			return path + strings.ToLower(ext), nil
		}
	}
	return path, isFile(path)
}

func executable(string, fs.FileInfo) error { return nil }

func exitCodeText(code int) string { return statusText(code) }

func exitStatus(code int) string { return statusName(code) }

// errReset says that the other end broke the connection; syscall.ECONNRESET is made up here.
const errReset = windows.WSAECONNRESET
