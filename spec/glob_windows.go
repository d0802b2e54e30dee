package spec

import "strings"

// foldName is the form of a file name that is compared with a pattern: case does not count.
func foldName(s string) string { return strings.ToLower(s) }
