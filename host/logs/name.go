package logs

import (
	"cmp"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// stampLayout is the time in the name of a rotated file: it sorts as text.
const stampLayout = "20060102T150405.000Z"

// form says which files stand for one rotation: the plain one, the compressed one, or for a moment both.
type form uint8

const (
	formPlain form = 1 << iota
	formGzip
	formZstd
	// The compressor's files before they are complete; never read. In the order of the packed ones.
	formGzipTemp
	formZstdTemp

	formPacked = formGzip | formZstd
	formTemps  = formGzipTemp | formZstdTemp
)

// temp is the form of the compressor's file for a packed form.
func (f form) temp() form { return f << 2 }

// each yields the single forms in f.
func (f form) each(yield func(form) bool) {
	for _, s := range formSuffixes {
		if f&s.form != 0 && !yield(s.form) {
			return
		}
	}
}

var formSuffixes = [...]struct {
	suffix string
	form   form
}{
	{"", formPlain},
	{gzipSuffix, formGzip},
	{zstdSuffix, formZstd},
	{gzipSuffix + tempSuffix, formGzipTemp},
	{zstdSuffix + tempSuffix, formZstdTemp},
}

const (
	gzipSuffix = ".gz"
	zstdSuffix = ".zst"
	tempSuffix = ".tmp"
)

// rotated is one former current file. Its name follows from the path of the log.
type rotated struct {
	ms   int64 // when it was rotated, Unix milliseconds; unique within one log
	due  int64 // not to be compressed before, milliseconds since the Set began
	size int64 // of all its files, where that was asked for
	form form
}

// rotatedPath is the name that a log gets when it is rotated at the given time:
// logs/api.log becomes logs/api-20261121T090203.123Z.log.
func rotatedPath(path string, ms int64, f form) string {
	ext := filepath.Ext(filepath.Base(path))
	name := path[:len(path)-len(ext)] + "-" + time.UnixMilli(ms).UTC().Format(stampLayout) + ext
	for _, s := range formSuffixes {
		if s.form == f {
			name += s.suffix
		}
	}
	return name
}

// rotatedNames yields each way in which name can be read as that of a rotated file: the base name
// of the log, the time and the form. Only names that rotatedPath makes are yielded.
func rotatedNames(name string, yield func(base string, ms int64, f form) bool) {
	for _, s := range formSuffixes {
		core, ok := strings.CutSuffix(name, s.suffix)
		if !ok {
			continue
		}
		for _, ext := range [...]string{"", filepath.Ext(core)} {
			stem, ms, ok := cutStamp(core[:len(core)-len(ext)])
			// filepath.Ext of the base must give the same extension back, or the name isn't ours.
			base := stem + ext
			if base != filepath.Base(base) || base == "." || base == ".." {
				continue
			}
			if ok && filepath.Ext(base) == ext && !yield(base, ms, s.form) {
				return
			}
			if filepath.Ext(core) == "" {
				break
			}
		}
	}
}

// parseRotated reads name as a rotated file of the log with the given base name.
func parseRotated(base, name string) (ms int64, f form, ok bool) {
	rotatedNames(name, func(b string, m int64, fm form) bool {
		if b == base {
			ms, f, ok = m, fm, true
		}
		return !ok
	})
	return ms, f, ok
}

// cutStamp splits "api-20261121T090203.123Z" into "api" and the time.
func cutStamp(s string) (stem string, ms int64, ok bool) {
	i := len(s) - len(stampLayout)
	if i < 1 || s[i-1] != '-' || s[i+8] != 'T' {
		return "", 0, false
	}
	t, err := time.Parse(stampLayout, s[i:])
	if err != nil || t.Unix() < 0 || t.Format(stampLayout) != s[i:] {
		return "", 0, false
	}
	return s[:i-1], t.UnixMilli(), true
}

// mergeRotated adds found to list, which is ordered by time, and keeps that order.
func mergeRotated(list []rotated, found rotated) []rotated {
	i, ok := slices.BinarySearchFunc(list, found.ms, func(r rotated, ms int64) int { return cmp.Compare(r.ms, ms) })
	if ok {
		list[i].form |= found.form
		return list
	}
	return slices.Insert(list, i, found)
}
