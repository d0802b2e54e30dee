package logs

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/klauspost/compress/gzip"

	"servicehost/host/human"
)

var errAborted = errors.New("aborted")

// compressAll works off the queue, one file of each log at a time. It is called by the worker only.
func (s *Set) compressAll() {
	for !s.closing.Load() {
		s.mu.Lock()
		if len(s.queue) == 0 {
			s.mu.Unlock()
			return
		}
		round := s.queue
		s.queue = nil
		for _, w := range round {
			w.queued = false
		}
		s.mu.Unlock()
		busy := false
		for _, w := range round {
			more, wait := w.compressNext()
			if more {
				s.enqueue(w, wait)
			}
			busy = busy || (more && wait == 0)
		}
		if !busy {
			return
		}
	}
}

// compressNext compresses the oldest rotated file that is due. It reports whether there are others,
// and after what time the next is due.
func (w *writer) compressNext() (more bool, wait time.Duration) {
	path, r, wait, ok := w.nextPlain()
	if !ok || wait > 0 {
		return ok, wait
	}
	plain, packed, temp := rotatedPath(path, r.ms, formPlain), rotatedPath(path, r.ms, formGzip), rotatedPath(path, r.ms, formTemp)
	var err error
	if !isPacked(plain, packed) {
		err = compressFile(plain, temp, func() bool {
			return w.set.closing.Load() || r.ms < w.oldest.Load()
		})
	}
	w.lock()
	defer w.unlock()
	i := w.indexOf(r.ms)
	if path == w.path && i < 0 || errors.Is(err, errAborted) {
		_ = os.Remove(temp) // nothing there, or gone at the next sweep
		return true, 0
	}
	if err == nil {
		err = os.Rename(temp, packed)
		if errors.Is(err, os.ErrNotExist) && isPacked(plain, packed) {
			err = nil
		}
	}
	if err == nil {
		err = os.Remove(plain)
	}
	if errors.Is(err, os.ErrNotExist) {
		err = nil
	}
	if path != w.path {
		return true, 0
	}
	if err != nil {
		w.rotated[i].due = w.set.sinceEpoch() + w.set.timing.sweep.Milliseconds()
		if !w.gzipFailed {
			w.gzipFailed = true
			w.event(Event{Kind: EventTrouble, Text: fmt.Sprintf("cannot compress %s: %s; it stays as it is for now", human.Path(plain), cause(err))})
		}
		return true, 0
	}
	w.rotated[i].form = formGzip
	if w.gzipFailed {
		w.gzipFailed = false
		w.event(Event{Kind: EventRecovered, Text: fmt.Sprintf("rotated files of log %s are compressed again", human.Path(w.path))})
	}
	return true, 0
}

// nextPlain returns the oldest file that isn't compressed; wait is 0 if it is due.
func (w *writer) nextPlain() (path string, r rotated, wait time.Duration, ok bool) {
	w.lock()
	defer w.unlock()
	if w.closed || !w.gzip {
		return "", rotated{}, 0, false
	}
	now := w.set.sinceEpoch()
	for _, x := range w.rotated {
		if x.form&formPlain == 0 {
			continue
		}
		if x.due <= now {
			return w.path, x, 0, true
		}
		if d := time.Duration(x.due-now) * time.Millisecond; !ok || d < wait {
			r, wait, ok = x, d, true
		}
	}
	return w.path, r, wait, ok
}

func (w *writer) indexOf(ms int64) int {
	for i, r := range w.rotated {
		if r.ms == ms {
			return i
		}
	}
	return -1
}

// isPacked reports whether packed is the whole of plain, as when the host ended between renaming the
// one and deleting the other: the file gets its name only when it is complete, so its end tells.
func isPacked(plain, packed string) bool {
	info, err := os.Lstat(plain)
	if err != nil {
		return false
	}
	size, ok := packedSize(packed)
	return ok && size == uint32(info.Size())
}

// packedSize is the length of what is in a compressed file, modulo 1<<32.
func packedSize(path string) (uint32, bool) {
	f, err := openRead(path)
	if err != nil {
		return 0, false
	}
	defer f.Close()
	const headAndTail = 18
	var tail [4]byte
	info, err := f.Stat()
	if err != nil || info.Size() < headAndTail {
		return 0, false
	}
	if _, err := f.ReadAt(tail[:], info.Size()-4); err != nil {
		return 0, false
	}
	return binary.LittleEndian.Uint32(tail[:]), true
}

// compressFile writes from, compressed, to temp and has it on the disk before it returns.
// abort is asked now and then.
func compressFile(from, temp string, abort func() bool) error {
	done := make(chan error, 1)
	go func() {
		lowerPriority()
		done <- pack(from, temp, abort)
	}()
	err := <-done
	if err != nil {
		_ = os.Remove(temp) // its own error is the one to tell
	}
	return err
}

func pack(from, temp string, abort func() bool) error {
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
	// The fastest level: it keeps up with a flood, and better ones gain little on logs.
	z, err := gzip.NewWriterLevel(dst, gzip.BestSpeed)
	if err != nil {
		return err
	}
	z.ModTime = info.ModTime()
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
