package logs

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// found is what a folder holds of one log.
type found struct {
	rotated []rotated
	temps   []rotated
	indexes []int64 // of rotated files, by their times
}

// listFolder finds the rotated files of the logs whose base names are the keys of logs: one look for all.
func listFolder[V any](dir string, logs map[string]V) map[string]found {
	all := make(map[string]found)
	d, err := os.Open(dir)
	if err != nil {
		return all
	}
	defer d.Close()
	for {
		names, err := d.Readdirnames(1024)
		for _, name := range names {
			if _, ok := logs[name]; ok {
				continue // a current file, whatever it is called
			}
			rotatedNames(name, func(base string, ms int64, f form) bool {
				if _, ok := logs[base]; !ok {
					return true
				}
				here := all[base]
				if f&formTemps != 0 {
					here.temps = append(here.temps, rotated{ms: ms, form: f})
				} else {
					here.rotated = mergeRotated(here.rotated, rotated{ms: ms, form: f})
				}
				all[base] = here
				return false
			})
			if plain, ok := strings.CutSuffix(strings.TrimPrefix(name, indexPrefix), indexSuffix); ok && strings.HasPrefix(name, indexPrefix) {
				rotatedNames(plain, func(base string, ms int64, f form) bool {
					if _, ok := logs[base]; !ok || f != formPlain {
						return true
					}
					here := all[base]
					here.indexes = append(here.indexes, ms)
					all[base] = here
					return false
				})
			}
		}
		if err != nil {
			return all // io.EOF; what can't be listed is looked for again at the next sweep
		}
	}
}

func namesIn(dir string) ([]string, error) {
	d, err := os.Open(dir)
	if err != nil {
		return nil, err
	}
	defer d.Close()
	return d.Readdirnames(-1)
}

// listRotated returns the rotated files of a log, oldest first. A folder that does not exist has none.
// Files of the compressor that were never completed are not among them.
func listRotated(path string) ([]rotated, error) {
	base := filepath.Base(path)
	d, err := os.Open(filepath.Dir(path))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	defer d.Close()
	var list []rotated
	for {
		names, err := d.Readdirnames(1024)
		for _, name := range names {
			if ms, f, ok := parseRotated(base, name); ok && f&formTemps == 0 {
				list = mergeRotated(list, rotated{ms: ms, form: f})
			}
		}
		if err == io.EOF {
			return list, nil
		}
		if err != nil {
			return list, err
		}
	}
}

// settledRotated is listRotated for a log that may be rotated right now: a file that is renamed while the folder
// is read can be missed, hardly twice. What is gone again may be in the list.
func settledRotated(path string) ([]rotated, error) {
	list, err := listRotated(path)
	if err != nil {
		return nil, err
	}
	again, err := listRotated(path)
	for _, o := range again {
		list = mergeRotated(list, o)
	}
	return list, err
}
