package process

import (
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"golang.org/x/sys/windows"

	"servicehost/host/human"
)

// maxLine is how many characters a command line may have, the terminating zero included.
const maxLine = 32767

// commandLine returns the executable and the command line of a request.
func commandLine(r Request) (path, line string, err error) {
	if !filepath.IsAbs(r.Path) {
		return "", "", &Error{Kind: ErrNotFound, Message: fmt.Sprintf("executable %s has no absolute path", human.Path(r.Path))}
	}
	for _, s := range append([]string{r.Path, r.RawArgs, r.Dir}, r.Args...) {
		if strings.ContainsRune(s, 0) {
			return "", "", &Error{Kind: ErrOther, Message: fmt.Sprintf("path or argument %q contains a zero character", s)}
		}
	}
	path = r.Path
	if isBatch(r.Path) {
		path, line, err = batchLine(r)
	} else {
		line = plainLine(r)
	}
	if err != nil {
		return "", "", err
	}
	if u, err := windows.UTF16FromString(line); err == nil && len(u) > maxLine {
		n := len(u) - 1
		return "", "", &Error{Kind: ErrOther, Message: fmt.Sprintf("the command line of %s has %d characters, the system takes %d", human.Path(r.Path), n, maxLine-1)}
	}
	return path, line, nil
}

// plainLine quotes the arguments so that a program which follows the C runtime's rules sees them as they
// are, and lets the raw tail be.
func plainLine(r Request) string {
	args := r.Args
	if len(args) == 0 {
		args = []string{r.Path}
	}
	var b strings.Builder
	for i, a := range args {
		if i > 0 {
			b.WriteByte(' ')
		}
		b.WriteString(windows.EscapeArg(a))
	}
	if r.RawArgs != "" {
		b.WriteByte(' ')
		b.WriteString(r.RawArgs)
	}
	return b.String()
}

// environment is the block that CreateProcess wants: sorted by upper-cased name, one entry for names
// that differ in case only (the last wins), with SystemRoot, without which hardly any program starts.
func environment(env []string, marker string) ([]uint16, error) {
	type variable struct{ name, text string }
	vars := make([]variable, 0, len(env)+2)
	if root, err := windows.GetSystemWindowsDirectory(); err == nil {
		vars = append(vars, variable{"SYSTEMROOT", "SystemRoot=" + root})
	}
	for _, text := range append(slices.Clip(env), marker) {
		// "=C:=C:\dir" is how the system keeps the folder of a drive: its name begins with "=".
		i := strings.IndexByte(text[min(1, len(text)):], '=')
		if i < 0 {
			return nil, &Error{Kind: ErrOther, Message: fmt.Sprintf("environment entry %q is not NAME=value", text)}
		}
		vars = append(vars, variable{strings.ToUpper(text[:i+1]), text})
	}
	slices.SortStableFunc(vars, func(a, b variable) int { return strings.Compare(a.name, b.name) })
	var block []uint16
	for i, v := range vars {
		if i+1 < len(vars) && vars[i+1].name == v.name {
			continue
		}
		text, err := windows.UTF16FromString(v.text)
		if err != nil {
			return nil, &Error{Kind: ErrOther, Message: fmt.Sprintf("environment entry %q: %v", v.text, err)}
		}
		block = append(block, text...)
	}
	return append(block, 0), nil
}
