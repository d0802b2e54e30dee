package spec

import (
	"path/filepath"
	"strings"
)

// pathStyle joins and cleans paths the way the checked platform does, which may not be this machine:
// a Windows spec is validated on Linux too.
type pathStyle struct{ windows bool }

// isAbs reports whether a path stands on its own: /x, and on Windows C:\x, \\server\share and \x.
func (s pathStyle) isAbs(p string) bool {
	if !s.windows {
		return strings.HasPrefix(p, "/")
	}
	return isDrivePath(p) || p != "" && isSlash(p[0])
}

func isSlash(c byte) bool { return c == '/' || c == '\\' }

// hasSeparator reports whether a path is more than a bare name.
func (s pathStyle) hasSeparator(p string) bool {
	if s.windows {
		return strings.ContainsAny(p, `/\`)
	}
	return strings.Contains(p, "/")
}

// abs makes a path absolute, relative to dir, and cleans it.
func (s pathStyle) abs(dir, p string) string {
	if !s.isAbs(p) {
		p = dir + s.separator() + p
	} else if s.windows && !isDrivePath(p) && !(len(p) > 1 && isSlash(p[1])) && isDrivePath(dir) {
		p = dir[:2] + p // \x is on the drive of the folder
	}
	return s.clean(p)
}

func (s pathStyle) separator() string {
	if s.windows {
		return `\`
	}
	return "/"
}

// clean removes empty, . and .. elements, and on Windows turns / into \.
func (s pathStyle) clean(p string) string {
	root := ""
	switch {
	case !s.windows:
		if strings.HasPrefix(p, "/") {
			root = "/"
		}
	case strings.HasPrefix(p, `\\?\`), strings.HasPrefix(p, `\\.\`):
		return p // means exactly what it says
	default:
		p = strings.ReplaceAll(p, "/", `\`)
		switch {
		case strings.HasPrefix(p, `\\`):
			// The server and the share can't be left by ..
			root = `\\`
			rest := p[2:]
			for range 2 {
				end := strings.IndexByte(rest, '\\')
				if end < 0 {
					return p
				}
				root, rest = root+rest[:end+1], rest[end+1:]
			}
		case isDrivePath(p):
			root = p[:3]
		case strings.HasPrefix(p, `\`):
			root = `\`
		}
	}
	var out []string
	for e := range strings.SplitSeq(p[len(root):], s.separator()) {
		switch {
		case e == "" || e == ".":
		case e == ".." && len(out) > 0 && out[len(out)-1] != "..":
			out = out[:len(out)-1]
		case e == ".." && root != "":
		default:
			out = append(out, e)
		}
	}
	if len(out) == 0 && root == "" {
		return "."
	}
	return root + strings.Join(out, s.separator())
}

// key is the form of a path for comparison: Windows does not tell upper case from lower.
func (s pathStyle) key(p string) string {
	if s.windows {
		return strings.ToLower(p)
	}
	return p
}

// local turns a path of the checked platform into one that this machine can open; ok is false for an
// absolute path of another system.
func (s pathStyle) local(dir, p string) (path string, ok bool) {
	native := pathStyle{windows: filepath.Separator == '\\'}
	if s.windows && !native.windows {
		if isDrivePath(p) || strings.HasPrefix(p, `\`) {
			return "", false
		}
		p = strings.ReplaceAll(p, `\`, "/")
	}
	if filepath.IsAbs(p) {
		return filepath.Clean(p), true
	}
	if native.windows && native.isAbs(p) {
		return native.abs(dir, p), true
	}
	return filepath.Join(dir, p), true
}
