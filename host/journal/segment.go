package journal

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"servicehost/host/jsonl"
)

// A segment is a file named after its number. Rotation begins a new number and removes the lowest:
// no file is ever renamed, so a reader that is at work needs no care but for a file that is gone.
const (
	segmentPrefix = "events-"
	segmentSuffix = ".jsonl"
	segmentDigits = 8
)

func segmentName(n uint64) string {
	return fmt.Sprintf("%s%0*d%s", segmentPrefix, segmentDigits, n, segmentSuffix)
}

// segmentNumber reports whether a file has a name that segmentName gives, so that a file of somebody
// else is neither read nor removed.
func segmentNumber(name string) (uint64, bool) {
	s, ok := strings.CutPrefix(name, segmentPrefix)
	if !ok {
		return 0, false
	}
	if s, ok = strings.CutSuffix(s, segmentSuffix); !ok {
		return 0, false
	}
	n, err := strconv.ParseUint(s, 10, 64)
	return n, err == nil && segmentName(n) == name
}

// segments lists the numbers of the segments in a folder, oldest first.
func segments(root *os.Root) ([]uint64, error) {
	d, err := root.Open(".")
	if err != nil {
		return nil, err
	}
	defer d.Close()
	names, err := d.Readdirnames(-1)
	if err != nil {
		return nil, err
	}
	var numbers []uint64
	for _, name := range names {
		if n, ok := segmentNumber(name); ok {
			numbers = append(numbers, n)
		}
	}
	slices.Sort(numbers)
	return numbers, nil
}

// segmentWriter appends lines to the newest segment. Files are opened through os.Root: it keeps links
// from leading out of the folder, and on Windows it shares deletion, which rotation needs while a
// reader has the file open.
type segmentWriter struct {
	dir  string
	size int64
	keep int

	root *os.Root
	f    *os.File
	n    uint64
	at   int64
}

// open finds the newest segment, cuts its torn end off and hands the newest events to seen, oldest
// first: at most n of them are decoded, for the start of a host waits for this.
func (w *segmentWriter) open(n int, seen func(Event)) (err error) {
	if w.root, err = os.OpenRoot(w.dir); err != nil {
		return err
	}
	defer func() {
		if err != nil {
			if w.f != nil {
				w.f.Close()
			}
			w.root.Close()
		}
	}()
	numbers, err := segments(w.root)
	if err != nil {
		return err
	}
	w.n = 1
	if len(numbers) > 0 {
		w.n = numbers[len(numbers)-1]
	}
	if w.f, err = w.root.OpenFile(segmentName(w.n), os.O_RDWR|os.O_CREATE, 0o600); err != nil {
		return err
	}
	newest := lastLines{most: n}
	res, err := jsonl.Scan(w.f, newest.add)
	if err == nil && res.Torn {
		err = w.f.Truncate(res.Good)
	}
	if err != nil {
		return err
	}
	w.at = res.Good
	before := lastLines{most: n - len(newest.lines)}
	if len(numbers) > 1 && before.most > 0 {
		f, err := w.root.Open(segmentName(numbers[len(numbers)-2]))
		if err != nil {
			return err
		}
		_, err = jsonl.Scan(f, before.add)
		f.Close()
		if err != nil {
			return err
		}
	}
	before.decode(seen)
	newest.decode(seen)
	return nil
}

// lastLines keeps copies of the last lines of a scan, in buffers that are used again.
type lastLines struct {
	most  int
	lines [][]byte
	next  int // index of the oldest, once full
}

func (l *lastLines) add(payload []byte) error {
	if len(l.lines) < l.most {
		l.lines = append(l.lines, append([]byte(nil), payload...))
		return nil
	}
	l.lines[l.next] = append(l.lines[l.next][:0], payload...)
	l.next = (l.next + 1) % len(l.lines)
	return nil
}

func (l *lastLines) decode(seen func(Event)) {
	for i := range l.lines {
		if e, ok := decode(l.lines[(l.next+i)%len(l.lines)]); ok {
			seen(e)
		}
	}
}

// decode reads one event; a payload of a later version that is no event any more is none.
func decode(payload []byte) (Event, bool) {
	var e Event
	err := json.Unmarshal(payload, &e)
	return e, err == nil && e.Seq > 0
}

// write appends whole lines, all or none. It writes at a known place, so a try that failed half-way is
// overwritten by the next.
func (w *segmentWriter) write(lines []byte) error {
	if w.at > 0 && w.at+int64(len(lines)) > w.size {
		if err := w.next(); err != nil {
			return err
		}
	}
	if _, err := w.f.WriteAt(lines, w.at); err != nil {
		return err
	}
	w.at += int64(len(lines))
	return nil
}

// next begins a new segment and removes those beyond the bound.
func (w *segmentWriter) next() error {
	f, err := w.root.OpenFile(segmentName(w.n+1), os.O_RDWR|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return err
	}
	// A try that failed may have left lines behind the end, which the new segment holds too.
	_ = w.f.Truncate(w.at)
	w.f.Close()
	w.f, w.n, w.at = f, w.n+1, 0
	numbers, err := segments(w.root)
	if err != nil {
		return nil // removed next time
	}
	old := numbers[:max(0, len(numbers)-w.keep)]
	if len(old) == 0 {
		return nil
	}
	// What can't be kept as days now is, with the next; but not for ever.
	if err := w.fold(old[len(old)-1]); err != nil && len(old) < w.keep {
		return nil
	}
	for _, n := range old {
		// One that cannot be removed now goes with the next.
		_ = os.Remove(filepath.Join(w.dir, segmentName(n)))
	}
	return nil
}

func (w *segmentWriter) close() error {
	return errors.Join(w.f.Sync(), w.f.Close(), w.root.Close())
}
