package logs

import (
	"errors"
	"io/fs"
	"path/filepath"
)

// volume is a file system with logs on it.
type volume struct {
	id         string
	size, free int64
}

// nearestVolume is the volume that dir is on, or will be on once it is made.
func nearestVolume(look func(dir string) (volume, error), dir string) (volume, error) {
	for {
		v, err := look(dir)
		up := filepath.Dir(dir)
		if !errors.Is(err, fs.ErrNotExist) || up == dir {
			return v, err
		}
		dir = up
	}
}
