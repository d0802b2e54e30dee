//go:build unix

package control

import "path/filepath"

func resolve(path string) (string, error) { return filepath.EvalSymlinks(path) }

func fold(path string) string { return path }
