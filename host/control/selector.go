package control

import (
	"context"
	"fmt"
	"slices"
	"strings"
)

// Selector picks one of the running hosts. An empty one takes the only host that runs.
type Selector struct {
	Files []string // started with these
	Name  string   // host.name, ignoring case
}

// NoHostError is the answer when no running host is meant by a Selector.
type NoHostError struct {
	Wanted Selector
	Others []Entry // what runs instead
}

func (e *NoHostError) Error() string {
	switch {
	case len(e.Wanted.Files) > 0 && e.Wanted.Name != "":
		return fmt.Sprintf("no host named %q is running with %s", e.Wanted.Name, quoted(e.Wanted.Files))
	case len(e.Wanted.Files) > 0:
		return "no host is running with " + quoted(e.Wanted.Files)
	case e.Wanted.Name != "":
		return fmt.Sprintf("no host named %q is running", e.Wanted.Name)
	default:
		return "no host is running"
	}
}

// AmbiguousError is the answer when a Selector means several running hosts.
type AmbiguousError struct{ Hosts []Entry }

func (e *AmbiguousError) Error() string {
	return fmt.Sprintf("%d hosts are running, and it is not said which one is meant", len(e.Hosts))
}

// Find returns the running host that is meant. Errors are *NoHostError and *AmbiguousError where the
// look-up itself succeeded.
func Find(ctx context.Context, s Selector) (Entry, error) {
	all, err := Running(ctx)
	if err != nil {
		return Entry{}, err
	}
	return s.pick(all)
}

func (s Selector) pick(all []Entry) (Entry, error) {
	var hit, rest []Entry
	for _, e := range all {
		if (s.Name == "" || strings.EqualFold(e.Name, s.Name)) && e.Runs(s.Files) {
			hit = append(hit, e)
		} else {
			rest = append(rest, e)
		}
	}
	// -f base.yaml also means a host that adds an overlay to it, unless one runs just that file.
	if len(hit) > 1 && len(s.Files) > 0 {
		exact := slices.DeleteFunc(slices.Clone(hit), func(e Entry) bool { return len(e.Files) != len(s.Files) })
		if len(exact) == 1 {
			return exact[0], nil
		}
	}
	switch len(hit) {
	case 0:
		return Entry{}, &NoHostError{Wanted: s, Others: rest}
	case 1:
		return hit[0], nil
	default:
		return Entry{}, &AmbiguousError{Hosts: hit}
	}
}

func quoted(paths []string) string {
	q := make([]string, len(paths))
	for i, p := range paths {
		q[i] = `"` + p + `"`
	}
	return strings.Join(q, " and ")
}
