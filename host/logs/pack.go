package logs

import (
	"errors"
	"io"
	"os"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"

	"servicehost/spec"
)

var errAborted = errors.New("aborted")

// packedForm is what log.compress means; 0: files stay as they are.
func packedForm(c spec.Compression) form {
	switch c {
	case spec.CompressGzip:
		return formGzip
	case spec.CompressZstd:
		return formZstd
	}
	return 0
}

// packing is the compression of one rotated file. Killed at any moment it leaves the plain file, or a whole
// compressed one, or both; the next one goes on from there.
type packing struct {
	plain, packed, temp string
	form                form
	done                bool // packed is whole
}

// newPacking looks at what is there already. A compressed file that is not whole, which a broken disk may
// leave, goes: the plain one is still there.
func newPacking(path string, r rotated, to form) *packing {
	c := &packing{plain: rotatedPath(path, r.ms, formPlain)}
	for f := range (r.form & formPacked).each {
		info, err := os.Lstat(c.plain)
		name := rotatedPath(path, r.ms, f)
		switch {
		case err != nil:
		case isPacked(name, info.Size()):
			to, c.done = f, true
		default:
			_ = os.Remove(name) // what stays is replaced or left
		}
	}
	if to == 0 {
		to = formGzip // it was being compressed when that was turned off
	}
	c.form = to
	c.packed, c.temp = rotatedPath(path, r.ms, to), rotatedPath(path, r.ms, to.temp())
	return c
}

// run makes the compressed file, not under its name yet. abort is asked now and then.
func (c *packing) run(abort func() bool) error {
	if c.done {
		return nil
	}
	return compressFile(c.plain, c.temp, c.form, abort)
}

// finish gives the compressed file its name and deletes the plain one. One that is gone was deleted by
// somebody who wanted that.
func (c *packing) finish() error {
	if !c.done {
		if err := os.Rename(c.temp, c.packed); err != nil {
			return err
		}
	}
	if err := os.Remove(c.plain); err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	return nil
}

// discard deletes what run has made, and what finish has if the file is not to be kept: what isn't there now, or
// can't be deleted, is gone at the next sweep.
func (c *packing) discard(all bool) {
	_ = os.Remove(c.temp)
	if all {
		removeOurs(c.packed)
	}
}

// compressFile writes from, compressed, to temp and has it on the disk before it returns.
func compressFile(from, temp string, to form, abort func() bool) error {
	done := make(chan error, 1)
	go func() {
		lowerPriority()
		done <- pack(from, temp, to, abort)
	}()
	err := <-done
	if err != nil {
		_ = os.Remove(temp) // its own error is the one to tell
	}
	return err
}

func pack(from, temp string, to form, abort func() bool) error {
	src, err := openRead(from)
	if err != nil {
		return err
	}
	defer src.Close()
	info, err := src.Stat()
	if err != nil {
		return err
	}
	if err := os.Remove(temp); err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	dst, err := os.OpenFile(temp, os.O_WRONLY|os.O_CREATE|os.O_EXCL, info.Mode().Perm())
	if err != nil {
		return err
	}
	defer dst.Close()
	z, err := newPacker(dst, to, info)
	if err != nil {
		return err
	}
	buf := make([]byte, 256<<10)
	for {
		n, err := src.Read(buf)
		if n > 0 {
			if _, err := z.Write(buf[:n]); err != nil {
				return err
			}
		}
		if err == io.EOF {
			break
		}
		if err != nil {
			return err
		}
		if abort() {
			return errAborted
		}
	}
	if err := z.Close(); err != nil {
		return err
	}
	if err := dst.Sync(); err != nil {
		return err
	}
	if err := dst.Close(); err != nil {
		return err
	}
	return os.Chtimes(temp, info.ModTime(), info.ModTime())
}

// windowSize bounds the memory of a compressor, and of who reads the file.
const windowSize = 1 << 20

// newPacker compresses at the fastest level: it keeps up with a flood, and better ones gain little on logs.
// It is not kept for the next file: between files nothing is held.
func newPacker(dst io.Writer, to form, info os.FileInfo) (io.WriteCloser, error) {
	if to == formZstd {
		z, err := zstd.NewWriter(nil, zstd.WithEncoderLevel(zstd.SpeedFastest), zstd.WithEncoderConcurrency(1),
			zstd.WithWindowSize(windowSize), zstd.WithLowerEncoderMem(true), zstd.WithZeroFrames(true))
		if err != nil {
			return nil, err
		}
		z.ResetContentSize(dst, info.Size())
		return z, nil
	}
	z, err := gzip.NewWriterLevel(dst, gzip.BestSpeed)
	if err != nil {
		return nil, err
	}
	z.ModTime = info.ModTime()
	return z, nil
}
