package spec

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// Limits of what is read. A file of 1000 services has a few hundred KiB.
const (
	maxFileSize  = 8 << 20
	maxTotalSize = 32 << 20
	maxFiles     = 1000
)

// source is one file that was read.
type source struct {
	name string // as the user wrote it, for problems
	path string // absolute, of this machine
	dir  string // its folder
	text string // decoded to UTF-8, no BOM
	// shifts say where the lines of what was parsed stand in text, where that is not all of it.
	shifts []shift
	lines  []string // split when first asked for
}

// readFile reads a file within the limits and notes it as an input. A problem is returned, not reported,
// for the caller knows where the name stands.
func (l *loader) readFile(path string) (text string, err error) {
	f := l.fetch(path)
	l.addInput(Input{Path: path, Hash: f.hash})
	if f.err != nil {
		return "", f.err
	}
	return decodeText(f.raw)
}

// fetched is a file as it was read.
type fetched struct {
	raw  []byte
	hash string
	err  error
}

// fetch reads a file once.
func (l *loader) fetch(path string) *fetched {
	if f := l.files[path]; f != nil {
		return f
	}
	f := &fetched{}
	if f.raw, f.err = l.readBytes(path); f.err == nil {
		sum := sha256.Sum256(f.raw)
		f.hash = hex.EncodeToString(sum[:])
	}
	if l.files == nil {
		l.files = map[string]*fetched{}
	}
	l.files[path] = f
	return f
}

func (l *loader) addInput(in Input) {
	if key := (Input{Path: in.Path, Glob: in.Glob}); !l.noted[key] {
		l.noted[key] = true
		l.inputs = append(l.inputs, in)
	}
}

func (l *loader) readBytes(path string) ([]byte, error) {
	// Looked at before it is opened: opening a named pipe would wait for a writer.
	info, err := os.Stat(path)
	if err != nil {
		return nil, plainError(err)
	}
	if info.IsDir() {
		return nil, errors.New("is a folder, not a file")
	}
	if !info.Mode().IsRegular() {
		return nil, errors.New("is not a regular file")
	}
	if info.Size() > maxFileSize {
		return nil, fmt.Errorf("has %d MiB; more than %d MiB is refused", info.Size()>>20, maxFileSize>>20)
	}
	l.read += info.Size()
	if l.read > maxTotalSize {
		return nil, fmt.Errorf("all files together have more than %d MiB", maxTotalSize>>20)
	}
	f, err := openShared(path)
	if err != nil {
		return nil, plainError(err)
	}
	defer f.Close()
	raw := bytes.NewBuffer(make([]byte, 0, info.Size()+bytes.MinRead)) // with room for the read that finds the end
	if _, err := raw.ReadFrom(io.LimitReader(f, maxFileSize+1)); err != nil {
		return nil, plainError(err)
	}
	if raw.Len() > maxFileSize {
		return nil, fmt.Errorf("has more than %d MiB", maxFileSize>>20)
	}
	return raw.Bytes(), nil
}

// missingFile is the error of a file that is not there, optionalHint what may be done about it.
const (
	missingFile  = "does not exist"
	optionalHint = `a "?" before the name makes it optional`
)

// plainError drops the operation and the path that the message would repeat.
func plainError(err error) error {
	if errors.Is(err, fs.ErrNotExist) {
		return errors.New(missingFile)
	}
	if errors.Is(err, fs.ErrPermission) {
		return errors.New("cannot be read: permission denied")
	}
	if pathErr, ok := errors.AsType[*fs.PathError](err); ok {
		err = pathErr.Err
	}
	return fmt.Errorf("cannot be read: %v", err)
}

// absolute is filepath.Abs, or what comes closest where the present folder is gone.
func absolute(path string) string {
	if abs, err := filepath.Abs(path); err == nil {
		return abs
	}
	return filepath.Clean(path)
}

// countMarks bounds from above how many YAML nodes a text can have, without parsing it.
func countMarks(text string) int {
	return strings.Count(text, "\n") + strings.Count(text, ",") + strings.Count(text, "[") +
		strings.Count(text, "{") + strings.Count(text, ": ") + strings.Count(text, "- ") + strings.Count(text, "? ")
}

// line returns one line of a source, without its end.
func (s *source) line(n int) string {
	if s.lines == nil {
		s.lines = strings.SplitAfter(s.text, "\n")
	}
	if n < 1 || n > len(s.lines) {
		return ""
	}
	return s.lines[n-1]
}
