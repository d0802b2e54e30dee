package host

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"slices"
	"strings"
	"time"

	"servicehost/host/control"
)

// keptDumps is how many dumps stay beside the logs.
const keptDumps = 5

// maxStacks bounds the stacks of a dump; a thousand services have three thousand goroutines.
const maxStacks = 16 << 20

// dump is the state of everything, for whoever has to find out why a host does what it does. What
// children wrote and the environment are left out: they may hold secrets.
type stateDump struct {
	At         time.Time         `json:"at"`
	Version    string            `json:"version"`
	Go         string            `json:"go"`
	System     string            `json:"system"`
	Modules    map[string]string `json:"modules"`
	Status     control.Status    `json:"status"`
	Queued     int               `json:"queued_messages"`
	Goroutines int               `json:"goroutines"`
	Heap       uint64            `json:"heap_bytes"`
	Memory     uint64            `json:"memory_bytes"`
	Stacks     []string          `json:"stacks"`
}

// dump writes the state of everything into the logs folder and returns the file.
func (h *Host) dump(now time.Time) (string, error) {
	st, err := h.Status(context.Background())
	if err != nil {
		return "", err
	}
	for n := range st.Services {
		st.Services[n].LastLines = nil
	}
	var mem runtime.MemStats
	runtime.ReadMemStats(&mem)
	d := stateDump{
		At: now, Version: h.opt.Version, Go: runtime.Version(), System: runtime.GOOS + "/" + runtime.GOARCH, Modules: map[string]string{},
		Status: st, Queued: h.sup.Queued(), Goroutines: runtime.NumGoroutine(), Heap: mem.HeapAlloc, Memory: mem.Sys - mem.HeapReleased,
		Stacks: stacks(),
	}
	if info, ok := debug.ReadBuildInfo(); ok {
		for _, m := range info.Deps {
			d.Modules[m.Path] = m.Version
		}
	}
	text, err := json.MarshalIndent(d, "", "  ")
	if err != nil {
		return "", fmt.Errorf("cannot write the state: %w", err)
	}
	h.mu.Lock()
	dir := h.current.Host.Logs.Dir
	h.mu.Unlock()
	return writeDump(dir, now, text)
}

// writeDump writes one dump under its time and removes the oldest beyond keptDumps.
func writeDump(dir string, now time.Time, text []byte) (string, error) {
	path := filepath.Join(dir, "dump-"+now.UTC().Format("20060102T150405.000Z")+".json")
	fail := func(err error) (string, error) { return "", fmt.Errorf("cannot write the state: %w", err) }
	if err := os.MkdirAll(dir, 0o750); err != nil {
		return fail(err)
	}
	// Not seen under its name until it is whole.
	if err := os.WriteFile(path+".part", append(text, '\n'), 0o640); err != nil {
		_ = os.Remove(path + ".part") // a full disk needs no half a dump
		return fail(err)
	}
	if err := os.Rename(path+".part", path); err != nil {
		return fail(err)
	}
	old, err := filepath.Glob(filepath.Join(globEscape(dir), "dump-*.json"))
	if err != nil {
		return path, nil
	}
	slices.SortFunc(old, func(a, b string) int { return cmp.Compare(b, a) })
	for _, p := range old[min(keptDumps, len(old)):] {
		_ = os.Remove(p) // the next one tries again
	}
	return path, nil
}

// globEscape makes a folder's name a pattern for itself.
func globEscape(dir string) string {
	if filepath.Separator == '\\' {
		return strings.NewReplacer("[", "[[]").Replace(dir)
	}
	return strings.NewReplacer(`\`, `\\`, "[", `\[`, "*", `\*`, "?", `\?`).Replace(dir)
}

// stacks are those of all goroutines, one string each.
func stacks() []string {
	buf := make([]byte, 1<<20)
	for {
		n := runtime.Stack(buf, true)
		if n < len(buf) || len(buf) >= maxStacks {
			return strings.Split(strings.TrimSpace(string(buf[:n])), "\n\n")
		}
		buf = make([]byte, 2*len(buf))
	}
}
