package journal

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"servicehost/host/jsonl"
)

// What is in segments that are removed is kept as days, in a file named after the last of them: a job that runs
// every minute fills the journal within a week, and a report is asked for a month. As segments, such a file is
// written once and never renamed, so that a reader needs no lock, and one that a crash has torn is not taken.
const (
	ledgerPrefix = "days-"
	ledgerDays   = 92
	// maxLedger bounds the file: the oldest days go, as many as it takes.
	maxLedger = 8 << 20
)

func ledgerName(n uint64) string {
	return fmt.Sprintf("%s%0*d%s", ledgerPrefix, segmentDigits, n, segmentSuffix)
}

func ledgerNumber(name string) (uint64, bool) {
	s, ok := strings.CutPrefix(name, ledgerPrefix)
	if !ok {
		return 0, false
	}
	if s, ok = strings.CutSuffix(s, segmentSuffix); !ok {
		return 0, false
	}
	n, err := strconv.ParseUint(s, 10, 64)
	return n, err == nil && ledgerName(n) == name
}

// ledgerHead is the first line of the file; a unit in each further one.
type ledgerHead struct {
	*ledger
	Units int `json:"units"`
}

// lines is the ledger as a file.
func (l *ledger) lines() ([]byte, error) {
	payload, err := json.Marshal(ledgerHead{l, len(l.units)})
	if err != nil {
		return nil, err
	}
	out := jsonl.Append(nil, payload)
	for _, k := range slices.Sorted(maps.Keys(l.units)) {
		if payload, err = json.Marshal(l.units[k]); err != nil {
			return nil, err
		}
		out = jsonl.Append(out, payload)
	}
	return out, nil
}

// parseLedger reads what lines wrote, if it is whole.
func parseLedger(f *os.File) (*ledger, error) {
	l := newLedger()
	head := ledgerHead{ledger: l, Units: -1}
	_, err := jsonl.Scan(f, func(payload []byte) error {
		if head.Units < 0 {
			return json.Unmarshal(payload, &head)
		}
		u := &unit{}
		if err := json.Unmarshal(payload, u); err != nil {
			return err
		}
		if u.Days == nil {
			u.Days = map[string]*unitDay{}
		}
		l.units[u.Service+"."+strconv.Itoa(u.Instance)] = u
		return nil
	})
	if err == nil && head.Units != len(l.units) {
		err = errors.New("it is torn")
	}
	if l.Days == nil {
		l.Days = map[string]*hostDay{}
	}
	maps.DeleteFunc(l.Days, func(_ string, d *hostDay) bool { return d == nil })
	for _, u := range l.units {
		maps.DeleteFunc(u.Days, func(_ string, d *unitDay) bool { return d == nil })
	}
	return l, err
}

// drop drops the days before a day.
func (l *ledger) drop(before string) {
	maps.DeleteFunc(l.Days, func(day string, _ *hostDay) bool { return day < before })
	for _, u := range l.units {
		maps.DeleteFunc(u.Days, func(day string, _ *unitDay) bool { return day < before })
	}
}

// forget drops the days before a day, and instances of which nothing is left.
func (l *ledger) forget(before string) {
	l.drop(before)
	maps.DeleteFunc(l.units, func(_ string, u *unit) bool {
		return len(u.Days) == 0 && (u.Phase == phaseNone || u.Phase == phaseBooting)
	})
}

// openLedger reads the newest whole ledger of a folder, and the number of the last segment that is in it.
// Without one it is empty.
func openLedger(root *os.Root) (*ledger, uint64, error) {
	d, err := root.Open(".")
	if err != nil {
		return nil, 0, err
	}
	names, err := d.Readdirnames(-1)
	d.Close()
	if err != nil {
		return nil, 0, err
	}
	var numbers []uint64
	for _, name := range names {
		if n, ok := ledgerNumber(name); ok {
			numbers = append(numbers, n)
		}
	}
	slices.Sort(numbers)
	for _, n := range slices.Backward(numbers) {
		f, err := root.Open(ledgerName(n))
		if err != nil {
			continue
		}
		l, err := parseLedger(f)
		f.Close()
		if err == nil {
			return l, n, nil
		}
	}
	return newLedger(), 0, nil
}

// fold keeps as days what is in the segments up to number n, which are about to be removed.
func (w *segmentWriter) fold(n uint64) error {
	l, done, err := openLedger(w.root)
	if err != nil {
		return err
	}
	numbers, err := segments(w.root)
	if err != nil {
		return err
	}
	for _, s := range numbers {
		if s <= done || s > n {
			continue
		}
		if err := readSegment(w.root, s, Query{}, func(e Event) error { l.add(e); return nil }); err != nil {
			return err
		}
	}
	var data []byte
	for days := ledgerDays; ; days /= 2 {
		l.forget(dayOf(l.Last.AddDate(0, 0, -days)))
		if data, err = l.lines(); err != nil {
			return err
		}
		if len(data) <= maxLedger || days <= 1 {
			break
		}
	}
	f, err := w.root.OpenFile(ledgerName(n), os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return err
	}
	_, err = f.Write(data)
	if err = errors.Join(err, f.Sync(), f.Close()); err != nil {
		_ = os.Remove(filepath.Join(w.dir, ledgerName(n)))
		return err
	}
	if done > 0 && done != n {
		_ = os.Remove(filepath.Join(w.dir, ledgerName(done))) // a later fold removes it, as it reads the newest
	}
	return nil
}

// errMoved says that segments were removed while they were read.
var errMoved = errors.New("the journal moved on")

// readLedger feeds a ledger with all that a journal holds. With cut, what is before is not counted: in days
// that are kept as such, whole days.
func readLedger(dir string, cut time.Time) (*ledger, error) {
	root, err := os.OpenRoot(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return newLedger(), nil
	}
	if err != nil {
		return nil, fmt.Errorf("cannot read the journal: %w", err)
	}
	defer root.Close()
	for range 5 {
		l, err := readLedgerOnce(root, cut)
		if err == nil {
			return l, nil
		}
		if !errors.Is(err, errMoved) {
			return nil, fmt.Errorf("cannot read the journal: %w", err)
		}
	}
	return nil, errors.New("cannot read the journal: it is written faster than it can be read")
}

func readLedgerOnce(root *os.Root, cut time.Time) (*ledger, error) {
	l, done, err := openLedger(root)
	if err != nil {
		return nil, err
	}
	l.cut, l.from = cut, cut
	if l.Last.Before(cut) {
		l.drop("9999")
	} else {
		l.drop(dayOf(cut))
		l.from = cut.UTC().Truncate(24 * time.Hour)
	}
	numbers, err := segments(root)
	if err != nil {
		return nil, err
	}
	for _, n := range numbers {
		if n <= done {
			continue
		}
		if err := readSegment(root, n, Query{}, func(e Event) error { l.add(e); return nil }); err != nil {
			return nil, err
		}
		if _, err := root.Stat(segmentName(n)); err != nil {
			return nil, errMoved
		}
	}
	return l, nil
}
