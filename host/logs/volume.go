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

// Free is the space that is left on the volume of a folder, or of the one above it that exists.
func Free(dir string) (int64, error) {
	v, err := nearestVolume(volumeOf, dir)
	return v.free, err
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
