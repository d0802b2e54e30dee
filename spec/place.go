package spec

import (
	"errors"
	"path/filepath"
)

// DefaultStateDir is where a host with these files keeps its state unless the spec says otherwise. It
// reads none of them: it serves a host that can't.
func DefaultStateDir(o Options) (string, error) {
	if len(o.Files) == 0 {
		return "", errors.New("no file is given")
	}
	path, err := filepath.Abs(o.Files[0])
	if err != nil {
		return "", err
	}
	l := newLoader(o)
	l.dir = filepath.Dir(path)
	h := Host{Name: l.defaultName()}
	l.fillHost(&h)
	return h.StateDir, nil
}
