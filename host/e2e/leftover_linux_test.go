package e2e

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"

	"servicehost/host/control"
)

// leftover counts what a host holds.
type leftover struct {
	Descriptors, Goroutines, Cgroups int
}

func leftovers(r *rig) leftover {
	r.t.Helper()
	pid := r.host.Process.Pid
	fds, _ := os.ReadDir(fmt.Sprintf("/proc/%d/fd", pid))
	l := leftover{Descriptors: len(fds), Goroutines: goroutines(r)}
	for _, root := range []string{"/sys/fs/cgroup", "/sys/fs/cgroup/unified"} {
		dirs, _ := filepath.Glob(fmt.Sprintf("%s/servicehost-%d-*/*", root, pid))
		for _, d := range dirs {
			if st, err := os.Stat(d); err == nil && st.IsDir() {
				l.Cgroups++
			}
		}
	}
	return l
}

// grown says what is more than it was, "" if nothing. A status request that is being answered holds a
// descriptor and a few goroutines.
func (l leftover) grown(base leftover) string {
	if l.Descriptors > base.Descriptors+2 || l.Goroutines > base.Goroutines+4 || l.Cgroups > base.Cgroups {
		return fmt.Sprintf("%+v was %+v", l, base)
	}
	return ""
}

// goroutines asks the running host.
func goroutines(r *rig) int {
	r.t.Helper()
	out, err := controlGet(r, "/debug/vars")
	if err != nil {
		r.t.Fatalf("cannot ask for the goroutines: %v", err)
	}
	var v struct{ Goroutines int }
	if err := json.NewDecoder(strings.NewReader(out)).Decode(&v); err != nil {
		r.t.Fatalf("debug/vars: %v\n%s", err, out)
	}
	return v.Goroutines
}

// controlGet asks the control channel for a path that the command line has no use for.
func controlGet(r *rig, path string) (string, error) {
	r.t.Setenv("XDG_RUNTIME_DIR", r.dir)
	entry, err := control.Find(r.t.Context(), control.Selector{Files: []string{r.spec}})
	if err != nil {
		return "", err
	}
	tr := &http.Transport{DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return (&net.Dialer{}).DialContext(ctx, "unix", entry.Address)
	}}
	defer tr.CloseIdleConnections()
	req, err := http.NewRequestWithContext(r.t.Context(), http.MethodGet, "http://host"+path, nil)
	if err != nil {
		return "", err
	}
	resp, err := tr.RoundTrip(req)
	if err != nil {
		return "", err
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	return string(b), err
}

func holdings(r *rig) holding {
	r.t.Helper()
	l := leftovers(r)
	return holding{handles: l.Descriptors, goroutines: l.Goroutines}
}

// handleSlack is for a status request that is being answered.
const handleSlack = 2
