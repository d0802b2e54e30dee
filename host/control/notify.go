package control

import (
	"context"
	"time"
)

// NotifierStatus is a receiver of alerts. Counts are of messages, since the host started.
type NotifierStatus struct {
	Name     string    `json:"name"`
	Kind     string    `json:"kind"` // webhook, smtp or exec
	Template string    `json:"template,omitempty"`
	State    string    `json:"state"` // ok or trouble
	Since    time.Time `json:"since"` // of the state
	Reason   string    `json:"reason,omitempty"`
	Sent     int64     `json:"sent"`
	Failed   int64     `json:"failed"` // given up
	Waiting  int64     `json:"waiting"`
}

// NotifyTestRequest asks for a test message.
type NotifyTestRequest struct {
	Names []string `json:"names,omitempty"` // of notifiers; empty: all
	Actor string   `json:"-"`
}

// NotifyTestResult says what became of it.
type NotifyTestResult struct {
	Notifiers []NotifyTestOutcome `json:"notifiers"` // never null
}

// NotifyTestOutcome is one notifier.
type NotifyTestOutcome struct {
	Name       string `json:"name"`
	Kind       string `json:"kind"`
	OK         bool   `json:"ok"`
	Reason     string `json:"reason,omitempty"`
	DurationMS int64  `json:"duration_ms"`
}

// NotifyTest is Host.NotifyTest; the host knows the actor by itself.
func (c *Client) NotifyTest(ctx context.Context, r NotifyTestRequest) (NotifyTestResult, error) {
	return ask[NotifyTestResult](ctx, c, "POST", "/v1/notify/test", r)
}
