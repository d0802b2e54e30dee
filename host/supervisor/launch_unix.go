//go:build unix

package supervisor

import (
	"fmt"
	"io/fs"
	"strings"
	"syscall"

	"servicehost/host/process"
)

const (
	pathSeparators = "/"
	// searchBase: a bare name is looked for in PATH only, as every Unix user expects.
	searchBase = false
)

func foldEnv(name string) string { return name }

// minimalEnv is what a child gets of the host's environment with inherit_env: false.
func minimalEnv(host []string) []string {
	for _, kv := range host {
		if strings.HasPrefix(kv, "PATH=") {
			return []string{kv}
		}
	}
	return nil
}

func findExecutable(path string, _ []string) (string, error) { return path, isFile(path) }

func executable(path string, st fs.FileInfo) error {
	if st.Mode()&0o111 == 0 {
		return &process.Error{Kind: process.ErrPermission, Message: fmt.Sprintf("%q is not executable", path), Hint: "chmod +x"}
	}
	return nil
}

func exitCodeText(code int) string { return fmt.Sprint(code) }

func exitStatus(int) string { return "" }

// errReset says that the other end broke the connection.
const errReset = syscall.ECONNRESET
