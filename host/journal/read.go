package journal

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"

	"servicehost/host/human"
	"servicehost/host/jsonl"
)

// Query selects events. The zero value selects all.
type Query struct {
	// Services are names of services or ids of instances, whatever their case; events of the host match only
	// when it is empty.
	Services []string
	// Since leaves out what is older, Until what is younger.
	Since, Until time.Time
	// After leaves out events with this Seq and lower ones.
	After uint64
	// Last keeps only the newest n; 0 keeps all, a negative one none of those that happened already.
	Last int
	// Kinds are the kinds wanted; empty means all.
	Kinds []Kind
}

// Match reports whether the query, Last aside, selects e.
func (q Query) Match(e Event) bool {
	switch {
	case e.Seq <= q.After && q.After > 0:
		return false
	case !q.Since.IsZero() && e.Time.Before(q.Since):
		return false
	case !q.Until.IsZero() && e.Time.After(q.Until):
		return false
	case len(q.Kinds) > 0 && !slices.Contains(q.Kinds, e.Kind):
		return false
	case len(q.Services) == 0:
		return true
	}
	return slices.ContainsFunc(q.Services, e.IsOf)
}

// IsOf reports whether name means the service or the instance that the event is about. The id of an instance
// changes with their number, api to api.1, and both mean it.
func (e Event) IsOf(name string) bool {
	if name == "" {
		return false
	}
	if strings.EqualFold(name, e.Service) || strings.EqualFold(name, e.ID) {
		return true
	}
	service, number, ok := strings.Cut(name, ".")
	return ok && e.Service != "" && strings.EqualFold(service, e.Service) && number == strconv.Itoa(e.Instance)
}

// Read hands the events of the journal in dir that q selects to send, oldest first. It needs no
// running host and disturbs none: it may run while the journal is written, rotated and cut, and
// takes what is whole. A folder without a journal holds no events. An error of send ends it.
func Read(dir string, q Query, send func(Event) error) error {
	if q.Last < 0 {
		return nil
	}
	root, err := os.OpenRoot(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("cannot read the journal: %w", err)
	}
	defer root.Close()
	numbers, err := segments(root)
	if err != nil {
		return fmt.Errorf("cannot read the journal in %s: %w", human.Path(dir), err)
	}
	if q.Last > 0 {
		return readLast(root, numbers, q, send)
	}
	for _, n := range numbers {
		if err := readSegment(root, n, q, send); err != nil {
			return err
		}
	}
	return nil
}

func readSegment(root *os.Root, n uint64, q Query, send func(Event) error) error {
	f, err := root.Open(segmentName(n))
	if errors.Is(err, fs.ErrNotExist) { // rotated away since the folder was listed
		return nil
	}
	if err != nil {
		return fmt.Errorf("cannot read the journal: %w", err)
	}
	defer f.Close()
	_, err = jsonl.Scan(f, func(payload []byte) error {
		if e, ok := decode(payload); ok && q.Match(e) {
			return send(e)
		}
		return nil
	})
	return err
}

// readLast goes from the newest segment back until it has enough.
func readLast(root *os.Root, numbers []uint64, q Query, send func(Event) error) error {
	var found [][]Event // newest segment first
	for _, n := range slices.Backward(numbers) {
		var events []Event
		err := readSegment(root, n, q, func(e Event) error {
			events = append(events, e)
			return nil
		})
		if err != nil {
			return err
		}
		events = events[max(0, len(events)-q.Last):]
		found = append(found, events)
		if q.Last -= len(events); q.Last == 0 {
			break
		}
	}
	for _, events := range slices.Backward(found) {
		for _, e := range events {
			if err := send(e); err != nil {
				return err
			}
		}
	}
	return nil
}
