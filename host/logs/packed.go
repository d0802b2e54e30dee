package logs

import (
	"encoding/binary"
	"errors"
	"io"
	"io/fs"
	"os"
	"strings"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"
)

// openRotated opens a rotated file, compressed or not, whichever is there.
func openRotated(path string, o rotated) (io.ReadCloser, error) {
	f, err := openRead(rotatedPath(path, o.ms, formPlain))
	if err == nil || !errors.Is(err, fs.ErrNotExist) {
		return f, err
	}
	z, err := openPacked(rotatedPath(path, o.ms, formGzip))
	if errors.Is(err, fs.ErrNotExist) {
		return openPacked(rotatedPath(path, o.ms, formZstd))
	}
	return z, err
}

// unpackWindow is what reading a compressed file may take of memory: files of ours need windowSize.
const unpackWindow = 64 << 20

// openPacked opens a compressed file for what is in it; its name tells how.
func openPacked(path string) (io.ReadCloser, error) {
	f, err := openRead(path)
	if err != nil {
		return nil, err
	}
	p := packedFile{file: f}
	if strings.HasSuffix(path, zstdSuffix) {
		var z *zstd.Decoder
		z, err = zstd.NewReader(f, zstd.WithDecoderConcurrency(1), zstd.WithDecoderLowmem(true), zstd.WithDecoderMaxWindow(unpackWindow))
		if err == nil {
			p.Reader, p.end = z, z.Close
		}
	} else {
		var z *gzip.Reader
		z, err = gzip.NewReader(f)
		if err == nil {
			p.Reader, p.end = z, func() { z.Close() }
		}
	}
	if err != nil {
		f.Close()
		return nil, err
	}
	return &p, nil
}

type packedFile struct {
	io.Reader
	end  func()
	file *os.File
}

func (p *packedFile) Close() error {
	p.end()
	return p.file.Close()
}

// packedAs is the name of the compressed file of a rotation that is whole and holds size bytes, if there is one.
func packedAs(path string, ms, size int64) (string, bool) {
	for f := range formPacked.each {
		name := rotatedPath(path, ms, f)
		if isPacked(name, size) {
			return name, true
		}
	}
	return "", false
}

// isPacked reports whether the compressed file at path is whole and holds size bytes. What is in it is not
// looked at: it got its name when it was complete.
func isPacked(path string, size int64) bool {
	f, err := openRead(path)
	if err != nil {
		return false
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return false
	}
	if strings.HasSuffix(path, zstdSuffix) {
		return zstdHolds(f, info.Size(), size)
	}
	return gzipHolds(f, info.Size(), size)
}

// gzipHolds looks at the end of the file, where the length of what is in it stands, modulo 1<<32.
func gzipHolds(f io.ReaderAt, length, size int64) bool {
	const headAndTail = 18
	var tail [4]byte
	if length < headAndTail {
		return false
	}
	if _, err := f.ReadAt(tail[:], length-4); err != nil {
		return false
	}
	return binary.LittleEndian.Uint32(tail[:]) == uint32(size)
}

// zstdHolds looks at the head, where the length of what is in it stands, and goes from block to block to see
// that the file ends where the last one does.
// https://www.rfc-editor.org/rfc/rfc8878#name-zstandard-frames
func zstdHolds(f io.ReaderAt, length, size int64) bool {
	var head [zstd.HeaderMaxSize]byte
	n, _ := f.ReadAt(head[:], 0)
	var h zstd.Header
	switch {
	case h.Decode(head[:n]) != nil || h.Skippable:
		return false
	case !h.HasFCS: // the writer leaves it out of the smallest ones
		return zstdUnpacksTo(io.NewSectionReader(f, 0, length), size)
	case h.FrameContentSize != uint64(size):
		return false
	}
	const blockHead, rle = 3, 1
	at := int64(h.HeaderSize)
	for last := false; !last; {
		var b [blockHead]byte
		if _, err := f.ReadAt(b[:], at); err != nil {
			return false
		}
		block := uint32(b[0]) | uint32(b[1])<<8 | uint32(b[2])<<16
		last = block&1 != 0
		at += blockHead
		if block>>1&3 == rle {
			at++
		} else {
			at += int64(block >> 3)
		}
	}
	if h.HasCheckSum {
		at += 4
	}
	return at == length
}

func zstdUnpacksTo(r io.Reader, size int64) bool {
	const small = 256
	if size >= small {
		return false
	}
	z, err := zstd.NewReader(r, zstd.WithDecoderConcurrency(1), zstd.WithDecoderLowmem(true), zstd.WithDecoderMaxWindow(windowSize))
	if err != nil {
		return false
	}
	defer z.Close()
	n, err := io.Copy(io.Discard, io.LimitReader(z, small))
	return err == nil && n == size
}
