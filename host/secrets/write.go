package secrets

import (
	"errors"
	"os"
)

// finish writes a new file to the disk, or leaves none.
func finish(f *os.File, content []byte) error {
	_, err := f.Write(content)
	if err == nil {
		err = f.Sync()
	}
	if err = errors.Join(err, f.Close()); err != nil {
		return errors.Join(err, os.Remove(f.Name()))
	}
	return nil
}
