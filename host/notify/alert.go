package notify

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"time"

	"servicehost/spec"
)

// Status of an Alert.
type Status string

// The statuses.
const (
	Firing   Status = "firing"
	Resolved Status = "resolved"
	Testing  Status = "test"
)

// EventTest is the event of a message that an operator asked for.
const EventTest spec.AlertEvent = "test"

// Alert is one message: what the template generic sends and what a program reads. Its fields are a contract.
type Alert struct {
	// ID is of this message: the same again is the same message, sent again.
	ID string `json:"id"`
	// Alert is the same for all messages of one subject, so that resolved can be told from firing.
	Alert string `json:"alert"`
	Host  string `json:"host"`
	// Event is one of notify.*.on; for Status resolved it is recovered, and Resolves what is over.
	Event    spec.AlertEvent `json:"event"`
	Status   Status          `json:"status"`
	Resolves spec.AlertEvent `json:"resolves,omitempty"`
	// Service, Instance and ServiceID are absent for what is of the host.
	Service   string `json:"service,omitempty"`
	Instance  int    `json:"instance,omitempty"`
	ServiceID string `json:"service_id,omitempty"`
	// Title is a sentence for people, Reason why.
	Title  string `json:"title"`
	Reason string `json:"reason"`
	Actor  string `json:"actor,omitempty"`
	// Since is when it began, At when the last of what this message tells happened.
	Since time.Time `json:"since"`
	At    time.Time `json:"at"`
	// Count is how often it happened that no message told before, Total how often since Since.
	Count int `json:"count"`
	Total int `json:"total"`
	// DurationSeconds is how long it lasted, for Status resolved.
	DurationSeconds float64 `json:"duration_seconds,omitempty"`
	// LastLines are the last lines of output before the end of a process.
	LastLines []string `json:"last_lines,omitempty"`
	// Details are those of the event in the journal, such as measure, limit and value of a threshold.
	Details map[string]string `json:"details,omitempty"`
}

// identify gives the alert its ID: the same for the same message after a restart of the host.
func (a *Alert) identify(notifier string, seq uint64) {
	sum := sha256.Sum256(fmt.Appendf(nil, "%q %q %q %q %d %d %d", a.Host, notifier, a.Alert, a.Status, seq, a.Since.UnixNano(), a.Total))
	a.ID = hex.EncodeToString(sum[:12])
}

// lasted is how long it was, for a resolved one.
func (a *Alert) lasted() time.Duration {
	return time.Duration(a.DurationSeconds * float64(time.Second))
}
