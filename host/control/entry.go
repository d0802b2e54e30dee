package control

import (
	"crypto/sha256"
	"encoding/hex"
	"slices"
	"strings"
	"time"
)

// Entry is what a running host tells about itself in the run directory.
type Entry struct {
	Name    string    `json:"name"`
	Version string    `json:"version"`
	PID     int       `json:"pid"`
	Created time.Time `json:"created"`
	// Files are the absolute paths of the spec as they were given, Resolved what they led to when the
	// host started: a link that was switched since then still names the same host.
	Files    []string `json:"files"`
	Resolved []string `json:"resolved"`
	// Address of the control channel: the path of a socket, or the name of a pipe.
	Address  string `json:"address"`
	StateDir string `json:"state_dir"`
	LogsDir  string `json:"logs_dir"`
}

// Runs reports whether this host was started with all of the given files.
func (e Entry) Runs(files []string) bool {
	for _, f := range files {
		abs := absolute(f)
		if !slices.ContainsFunc(e.Files, func(have string) bool { return samePath(have, abs) }) &&
			!slices.Contains(e.Resolved, Canonical(f)) {
			return false
		}
	}
	return true
}

// Spec is the first file, the one by which people know a host.
func (e Entry) Spec() string {
	if len(e.Files) == 0 {
		return ""
	}
	return e.Files[0]
}

// identity is the short name under which a set of spec files is known in the run directory.
func identity(resolved []string) string {
	sum := sha256.Sum256([]byte(strings.Join(resolved, "\x00")))
	return hex.EncodeToString(sum[:8])
}
