package control

import "path/filepath"

// Canonical returns the form of a path in which two names of one file are equal: absolute, links
// resolved, and on Windows long names in one case. What doesn't exist is resolved as far as it does.
func Canonical(path string) string {
	abs := absolute(path)
	if real, err := resolve(abs); err == nil {
		return fold(real)
	}
	dir, base := filepath.Split(abs)
	dir = filepath.Clean(dir)
	if base == "" || dir == abs {
		return fold(abs)
	}
	return fold(filepath.Join(Canonical(dir), base))
}

func absolute(path string) string {
	abs, err := filepath.Abs(path)
	if err != nil {
		return filepath.Clean(path)
	}
	return abs
}

// samePath reports whether two absolute paths are spelled alike on this system.
func samePath(a, b string) bool { return fold(filepath.Clean(a)) == fold(filepath.Clean(b)) }
