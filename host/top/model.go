package top

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"servicehost/host/control"
)

// order is what the services are sorted by.
type order uint8

const (
	byName order = iota
	byCPU
	byMemory
	byRestarts
	byAge
	byState
	orders
)

var orderNames = [orders]string{"name", "cpu", "memory", "restarts", "age", "state"}

// model is what is shown, apart from how. It belongs to the loop.
type model struct {
	only    []string
	status  control.Status
	shown   []control.ServiceStatus // filtered and sorted
	history map[string]*history

	by      order
	reverse bool
	filter  string
	typing  bool // the filter is being typed
	at      string
	index   int // of at in shown
	top     int // first row on the screen
	logs    bool
	help    bool
	confirm *wish
	notice  string
	bad     bool
	gone    string // why the host can't be asked
}

// wish is what the operator is about to do.
type wish struct {
	verb control.Verb
	id   string
}

func newModel(only []string) *model {
	return &model{only: only, history: map[string]*history{}, logs: true}
}

// take shows a newer status. The selection stays with its service.
func (m *model) take(s control.Status) {
	m.status = s
	alive := make(map[string]bool, len(s.Services))
	for _, one := range s.Services {
		alive[one.ID] = true
		h := m.history[one.ID]
		if h == nil {
			h = &history{}
			m.history[one.ID] = h
		}
		h.add(one.CPUPercent, one.MemoryBytes)
	}
	for id := range m.history {
		if !alive[id] {
			delete(m.history, id)
		}
	}
	m.arrange()
}

// arrange filters and sorts anew.
func (m *model) arrange() {
	m.shown = m.shown[:0]
	for _, s := range m.status.Services {
		if m.wanted(s) {
			m.shown = append(m.shown, s)
		}
	}
	slices.SortStableFunc(m.shown, func(a, b control.ServiceStatus) int {
		d := m.compare(a, b)
		if m.reverse {
			d = -d
		}
		return cmp.Or(d, cmp.Compare(a.Name, b.Name), cmp.Compare(a.Instance, b.Instance))
	})
	if n := slices.IndexFunc(m.shown, func(s control.ServiceStatus) bool { return s.ID == m.at }); n >= 0 {
		m.index = n
	}
	m.move(0)
}

func (m *model) wanted(s control.ServiceStatus) bool {
	if len(m.only) > 0 && !slices.ContainsFunc(m.only, func(n string) bool { return strings.EqualFold(n, s.Name) || strings.EqualFold(n, s.ID) }) {
		return false
	}
	for word := range strings.FieldsSeq(strings.ToLower(m.filter)) {
		if !strings.Contains(strings.ToLower(s.ID+" "+s.State+" "+s.Health+" "+s.Reason), word) {
			return false
		}
	}
	return true
}

// compare puts the most first where there is a most.
func (m *model) compare(a, b control.ServiceStatus) int {
	switch m.by {
	case byCPU:
		return cmp.Compare(b.CPUPercent, a.CPUPercent)
	case byMemory:
		return cmp.Compare(b.MemoryBytes, a.MemoryBytes)
	case byRestarts:
		return cmp.Compare(b.Restarts, a.Restarts)
	case byAge:
		return b.Since.Compare(a.Since)
	case byState:
		return cmp.Or(cmp.Compare(rank(a), rank(b)), strings.Compare(a.State, b.State))
	case byName, orders:
	}
	return 0
}

// rank puts those first that somebody should look at, and those last that are meant to be down.
func rank(s control.ServiceStatus) int {
	switch {
	case !s.AsDesired:
		return 0
	case s.PID != 0:
		return 1
	}
	return 2
}

// move goes so many rows down, or up.
func (m *model) move(rows int) {
	m.index = max(0, min(m.index+rows, len(m.shown)-1))
	if len(m.shown) > 0 {
		m.at = m.shown[m.index].ID
	}
}

func (m *model) selected() (control.ServiceStatus, bool) {
	if len(m.shown) == 0 {
		return control.ServiceStatus{}, false
	}
	return m.shown[m.index], true
}

// scroll keeps the selected row on a table of so many rows.
func (m *model) scroll(rows int) {
	m.top = max(0, min(m.top, len(m.shown)-rows))
	m.top = min(m.top, m.index)
	m.top = max(m.top, m.index-rows+1)
}

// sums are the CPU and memory of what is shown.
func (m *model) sums() (cpu float64, memory int64) {
	for _, s := range m.shown {
		cpu += s.CPUPercent
		memory += s.MemoryBytes
	}
	return cpu, memory
}

// actTime bounds how long an operator's wish is waited for; it goes on in the host.
const actTime = 2 * time.Minute
