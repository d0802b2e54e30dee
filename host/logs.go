package host

import (
	"context"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"

	"servicehost/host/control"
	"servicehost/host/logs"
	"servicehost/spec"
)

// Logs is `host logs`.
func (h *Host) Logs(ctx context.Context, r control.LogsRequest, send func(control.LogLine) error) error {
	var services []*spec.Service
	for _, p := range h.sup.Snapshots() {
		services = append(services, p.Spec)
	}
	return readLogs(ctx, services, r, h.logs.FlushIndexes, send)
}

// ReadLogs is `host logs` with no host running: it reads the logs of these services from disk.
func ReadLogs(ctx context.Context, services []*spec.Service, r control.LogsRequest, send func(control.LogLine) error) error {
	return readLogs(ctx, services, r, nil, send)
}

func readLogs(ctx context.Context, services []*spec.Service, r control.LogsRequest, flush func(), send func(control.LogLine) error) error {
	q := logs.Query{Last: r.Last, Follow: r.Follow, Stream: r.Stream, Since: r.Since, Until: r.Until, Raw: r.Raw, Flush: flush}
	if r.Grep != "" {
		re, err := regexp.Compile(r.Grep)
		if err != nil {
			return &control.Error{Status: 400, Message: "cannot read the expression: " + err.Error()}
		}
		q.Grep = re
	}
	chosen, err := choose(services, r.Services)
	if err != nil {
		return err
	}
	byID := make(map[string]*spec.Service, len(chosen))
	var files []logs.File
	for _, s := range chosen {
		byID[s.ID] = s
		files = append(files, logs.File{ID: s.ID, Stream: "stdout", Path: s.Log.Path, Format: s.Log.Format})
		if s.Log.Stderr != "" && s.Log.Stderr != s.Log.Path {
			files = append(files, logs.File{ID: s.ID, Stream: "stderr", Path: s.Log.Stderr, Format: s.Log.Format})
		}
	}
	return logs.Read(ctx, files, q, func(l logs.Line) error {
		s := byID[l.ID]
		out := control.LogLine{Time: l.Time, ID: l.ID, Service: s.Name, Instance: s.Instance, Stream: l.Stream, Line: l.Text}
		if r.Raw && !utf8.ValidString(l.Text) {
			out.Bytes = []byte(l.Text)
		}
		return send(out)
	})
}

// choose returns the named services or instances, all without names. Unknown names are a *control.Error.
func choose(services []*spec.Service, names []string) ([]*spec.Service, error) {
	used := map[string]bool{}
	var out []*spec.Service
	for _, s := range services {
		full := fmt.Sprintf("%s.%d", s.Name, s.Instance)
		meant := len(names) == 0
		for _, n := range names {
			if strings.EqualFold(n, s.Name) || strings.EqualFold(n, full) {
				meant, used[n] = true, true
			}
		}
		if meant {
			out = append(out, s)
		}
	}
	if i := slices.IndexFunc(names, func(n string) bool { return !used[n] }); i >= 0 {
		return nil, &control.Error{Status: 404, Message: fmt.Sprintf("no service %q", names[i])}
	}
	return out, nil
}
