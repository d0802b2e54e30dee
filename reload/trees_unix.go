//go:build unix

package reload

// trees: there is no watch on a whole tree here; each folder in it has one of its own.
type trees struct{ report func(top, path string) }

func (t *trees) arrange(map[string]bool) {}
func (t *trees) close()                  {}
