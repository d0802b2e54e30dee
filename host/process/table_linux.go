package process

import (
	"strconv"
	"strings"
	"sync"
	"time"
)

// procTable is one look at all processes, shared by the questions of a moment. It is used only where
// there are no cgroups, and only when somebody asks for the usage.
type procTable struct {
	mu   sync.Mutex
	at   time.Time
	all  map[int]procRow
	mark map[int]string // HOST_RUN of our adopted children
}

type procRow struct{ parent, group int }

// tableAge is how long one look serves.
const tableAge = 500 * time.Millisecond

// tree lists the members of a run: its process group, the descendants of those, and with adopted what
// became a child of ours and carries its mark.
func (t *procTable) tree(pid int, mark string, adopted bool) []int {
	t.mu.Lock()
	defer t.mu.Unlock()
	if time.Since(t.at) > tableAge {
		t.look()
	} else if out := t.members(pid, mark, adopted); len(out) > 0 {
		return out
	} else {
		t.look() // younger than the look
	}
	return t.members(pid, mark, adopted)
}

func (t *procTable) members(pid int, mark string, adopted bool) []int {
	in := map[int]bool{}
	var member func(int, int) bool
	member = func(p, depth int) bool {
		if known, ok := in[p]; ok {
			return known
		}
		r, ok := t.all[p]
		in[p] = false // while it is being worked out; parents form no circle in one moment, but a look takes many
		in[p] = ok && depth < 100 && (p == pid || r.group == pid || member(r.parent, depth+1) || adopted && t.markOf(p) == mark)
		return in[p]
	}
	var out []int
	for p := range t.all {
		if member(p, 0) {
			out = append(out, p)
		}
	}
	return out
}

func (t *procTable) markOf(pid int) string {
	m, ok := t.mark[pid]
	if !ok {
		m = markerOf(pid)
		t.mark[pid] = m
	}
	return m
}

func (t *procTable) look() {
	t.at, t.all, t.mark = time.Now(), map[int]procRow{}, map[int]string{}
	eachProcess(func(pid int) {
		if f := statFields(pid); f != nil {
			parent, _ := strconv.Atoi(f[statParent])
			group, _ := strconv.Atoi(f[statParent+1])
			if !strings.HasPrefix(f[0], "Z") {
				t.all[pid] = procRow{parent, group}
			}
		}
	})
}
