package upgrade

import (
	"encoding/json"
	"fmt"
	"os"
	"time"
)

// Outcome is what became of an upgrade.
type Outcome string

// The outcomes.
const (
	Upgraded Outcome = "upgraded"
	Undone   Outcome = "reverted"
	CutShort Outcome = "cut"
)

// Note tells the host that is started next what became of the last upgrade: it has a journal and a log, and who
// upgrades has none.
type Note struct {
	// At tells a note from the one before.
	At      time.Time `json:"at"`
	Outcome Outcome   `json:"outcome"`
	From    string    `json:"from,omitempty"`
	To      string    `json:"to,omitempty"`
	// Reason in words.
	Reason string `json:"reason"`
}

func newNote(o Outcome, r record, format string, args ...any) Note {
	return Note{At: time.Now().UTC().Truncate(time.Millisecond), Outcome: o, From: r.From, To: r.To, Reason: fmt.Sprintf(format, args...)}
}

// LastNote is what became of the last upgrade of an executable, if there was one.
func LastNote(exe string) (n Note, ok bool) {
	b, err := os.ReadFile(notePath(exe))
	if err != nil || json.Unmarshal(b, &n) != nil || n.At.IsZero() || n.Outcome == "" {
		return Note{}, false
	}
	return n, true
}

// leaveNote writes a note in place of the former one. It is no reason for anything else to fail that this can't
// be done.
func leaveNote(exe string, n Note) {
	b, err := json.Marshal(n)
	if err != nil {
		return
	}
	path := notePath(exe)
	if os.WriteFile(path+".new", b, 0o644) != nil || os.Rename(path+".new", path) != nil {
		_ = os.Remove(path + ".new") // half of a note is none
	}
}

func notePath(exe string) string { return exe + ".upgraded.json" }
