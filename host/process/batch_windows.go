package process

import (
	"fmt"
	"path/filepath"
	"strings"

	"golang.org/x/sys/windows"

	"servicehost/host/human"
)

// isBatch reports whether the system would hand the file to cmd.exe. Blanks and dots at the end of a
// name do not count for it, and what follows a colon names a stream of the same file.
func isBatch(path string) bool {
	name := filepath.Base(path)
	if i := strings.IndexByte(name, ':'); i >= 0 {
		name = name[:i]
	}
	switch strings.ToLower(filepath.Ext(strings.TrimRight(name, ". "))) {
	case ".bat", ".cmd":
		return true
	}
	return false
}

// batchLine runs a batch file by an explicit cmd.exe. cmd.exe parses a line by rules of its own, in
// which some arguments can't be written so that they stay data: those are refused.
func batchLine(r Request) (path, line string, err error) {
	system, err := windows.GetSystemDirectory()
	if err != nil {
		return "", "", &Error{Kind: ErrOther, Message: fmt.Sprintf("cannot find cmd.exe: %v", err)}
	}
	words := []string{r.Path}
	if len(r.Args) > 1 {
		words = append(words, r.Args[1:]...)
	}
	for i, w := range words {
		if j := strings.IndexAny(w, "\"%\r\n"); j >= 0 {
			what := "argument"
			if i == 0 {
				what = "path"
			}
			return "", "", &Error{
				Kind:    ErrUnsupported,
				Message: fmt.Sprintf("cannot run the batch file %s: cmd.exe would interpret %q in its %s %q", human.Path(r.Path), w[j:j+1], what, w),
				Hint:    "pass it in env:, or run the program itself instead of a batch file",
			}
		}
		// cmd.exe leaves a backslash alone, but the program that gets the argument in quotes does not.
		tail := len(w) - len(strings.TrimRight(w, `\`))
		if i == 0 {
			tail = 0
		}
		words[i] = `"` + w + strings.Repeat(`\`, tail) + `"`
	}
	if strings.ContainsAny(r.RawArgs, "\r\n") {
		return "", "", &Error{Kind: ErrUnsupported, Message: fmt.Sprintf("cannot run the batch file %s: its raw_args contain a line break", human.Path(r.Path))}
	}
	if r.RawArgs != "" {
		words = append(words, r.RawArgs)
	}
	path = filepath.Join(system, "cmd.exe")
	// /d: no AutoRun commands of the registry; /v:off: "!" is a plain character; /s with the outer quotes:
	// what is between them is taken as it is.
	return path, windows.EscapeArg(path) + ` /d /v:off /e:on /s /c "` + strings.Join(words, " ") + `"`, nil
}
