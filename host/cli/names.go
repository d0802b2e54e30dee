package cli

import (
	"fmt"
	"path/filepath"
	"slices"
	"strings"
)

// noService is the error for a name that nothing has, with what was probably meant.
func noService(name string, present []string) error {
	hint := "host status lists the services"
	switch near := nearest(name, present); {
	case isSpecFile(name):
		hint = fmt.Sprintf("a file is named with --file %s; behind logs and events, -f means to follow", name)
	case near != "":
		hint = fmt.Sprintf("did you mean %q?", near)
	}
	return withHint(hint, "no service %q", name)
}

// isSpecFile reports whether what was given as a service is a file: a name of a service has no dot but
// before a number.
func isSpecFile(name string) bool {
	return slices.Contains([]string{".yaml", ".yml", ".json"}, strings.ToLower(filepath.Ext(name))) || strings.ContainsAny(name, `/\`)
}
