package host

import (
	"context"
	"path/filepath"
	"time"

	"servicehost/host/control"
	"servicehost/host/journal"
)

// aliveEvery is how often the host notes that it is alive, for who asks later when it was killed.
const aliveEvery = time.Minute

func (h *Host) journalDir() string { return filepath.Join(h.store.Dir(), "journal") }

// noteAlive keeps the mark of a living host fresh until ctx ends, and has memory given back on the way.
func (h *Host) noteAlive(ctx context.Context) {
	tick := time.NewTicker(aliveEvery)
	defer tick.Stop()
	for {
		if err := h.journal.Alive(); err != nil {
			h.log.Debug("cannot note that the host is alive: " + err.Error())
		}
		select {
		case <-tick.C:
			h.trimmer.look()
		case <-ctx.Done():
			return
		}
	}
}

// startDetails tell of a start what is checked out, and when the former host was alive last.
func startDetails(path, dir string) map[string]string {
	d := commitOf(path)
	if at := journal.LastAlive(dir); !at.IsZero() {
		if d == nil {
			d = map[string]string{}
		}
		d[journal.DetailLastAlive] = at.UTC().Format(time.RFC3339)
	}
	return d
}

// Report is `host report`.
func (h *Host) Report(_ context.Context, r control.ReportRequest) (control.Report, error) {
	if err := h.journal.Flush(); err != nil {
		return control.Report{}, err
	}
	if r.Since.IsZero() {
		r.Since = time.Now().Add(-control.ReportPeriod)
	}
	return journal.MakeReport(h.journalDir(), journal.ReportQuery{Since: r.Since, Names: r.Names})
}
