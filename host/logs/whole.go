package logs

import "bytes"

// endLine ends the line in the file, which is none of what comes next: another run or another program left it.
func (w *writer) endLine() error {
	n, err := w.f.Write([]byte{'\n'})
	w.size += int64(n)
	w.midLine = n == 0
	return err
}

// takeBack takes a line out of the file again of which only the beginning could be written, m being what was
// written of p, and returns how much of p is in the file. Raw output stays: who wrote half a line may end it.
func (w *writer) takeBack(p []byte, m int) int {
	whole := bytes.LastIndexByte(p[:m], '\n') + 1
	f, ok := w.f.(interface{ cutShort(size int64) error })
	if !w.whole || whole == m || !ok {
		return m
	}
	over := int64(m - whole)
	if f.cutShort(w.size-over) != nil {
		return m
	}
	w.size -= over
	w.written.Add(-over)
	w.midLine = false
	return whole
}

func (f diskFile) cutShort(size int64) error { return cutShort(f.File, size) }
