package reload

import (
	"crypto/sha256"
	"encoding/hex"
	"io"
	"maps"
	"slices"
	"time"
)

// content is the hash of each file, in the form of spec.Input: empty where there is nothing to read.
type content map[string]string

// maxInput is the size from which on a file is not read, as when it is loaded.
const maxInput = 8 << 20

// stamp tells cheaply that a file was not touched. One that was written just before it was read may
// change without a new stamp and is called fresh.
type stamp struct {
	size  int64
	time  time.Time
	fresh bool
}

// freshFor is the coarsest clock of a file system: two seconds on FAT.
const freshFor = 2 * time.Second

// readContent reads all files; locked lists those that another process keeps from being read.
func readContent(files map[string]bool) (c content, stamps map[string]stamp, locked []string) {
	c, stamps = make(content, len(files)), make(map[string]stamp, len(files))
	for path := range files {
		hash, at, err := hashFile(path)
		if err != nil && isLocked(err) {
			locked = append(locked, path)
		}
		c[path] = hash
		stamps[path] = at
	}
	return c, stamps, locked
}

func hashFile(path string) (string, stamp, error) {
	f, err := openShared(path)
	if err != nil {
		return "", stamp{}, err
	}
	defer f.Close()
	fi, err := f.Stat()
	if err != nil {
		return "", stamp{}, err
	}
	at := stampOf(fi)
	if !fi.Mode().IsRegular() || fi.Size() > maxInput {
		return "", at, nil
	}
	h := sha256.New()
	if n, err := io.Copy(h, io.LimitReader(f, maxInput+1)); err != nil || n > maxInput {
		return "", at, err
	}
	return hex.EncodeToString(h.Sum(nil)), at, nil
}

func stampOf(fi interface {
	Size() int64
	ModTime() time.Time
}) stamp {
	return stamp{size: fi.Size(), time: fi.ModTime(), fresh: time.Since(fi.ModTime()) < freshFor}
}

// sum is one hash over all.
func (c content) sum() string {
	h := sha256.New()
	for _, path := range slices.Sorted(maps.Keys(c)) {
		_, _ = io.WriteString(h, path+"\x00"+c[path]+"\n")
	}
	return hex.EncodeToString(h.Sum(nil)[:16])
}
