package notify

import (
	"fmt"
	"time"

	"servicehost/host/human"
	"servicehost/host/journal"
)

// giveUp drops the oldest messages.
func (n *notifier) giveUp(count int, why string) {
	n.through(count)
	n.lost(count)
	n.o.Tell(journal.Event{
		Kind: journal.NotifyTrouble, Reason: fmt.Sprintf("notifier %q: %s given up: %s", n.name, human.Count(count, "message"), why), Details: n.details(),
	})
}

func (n *notifier) lost(count int) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.shown.Failed += int64(count)
}

func (n *notifier) details() map[string]string {
	return map[string]string{journal.DetailTarget: n.name}
}

// tellLeft says that there was no room for messages.
func (n *notifier) tellLeft() {
	if left := n.queue.left - n.left; left > 0 {
		n.left = n.queue.left
		n.lost(left)
		n.o.Tell(journal.Event{
			Kind: journal.NotifyTrouble, Reason: fmt.Sprintf("notifier %q: %s given up: too many wait", n.name, human.Count(left, "message")), Details: n.details(),
		})
	}
}

// trouble notes a failure, and tells of it once until it works again.
func (n *notifier) trouble(now time.Time, why, follows string, tell bool) {
	n.mu.Lock()
	if n.shown.State != StateTrouble {
		n.shown.State, n.shown.Since = StateTrouble, now
	}
	n.shown.Reason = why
	n.mu.Unlock()
	if tell && !n.told {
		n.told = true
		n.o.Tell(journal.Event{
			Kind: journal.NotifyTrouble, Reason: fmt.Sprintf("notifier %q (%s) is in trouble: %s; %s", n.name, n.tr.where(), why, follows), Details: n.details(),
		})
	}
}

func (n *notifier) well(now time.Time, count int) {
	n.fails = 0
	n.retryAt = time.Time{}
	n.mu.Lock()
	was, since := n.shown.State, n.shown.Since
	n.shown.Sent += int64(count)
	if was != StateOK {
		n.shown.State, n.shown.Since, n.shown.Reason = StateOK, now, ""
	}
	n.mu.Unlock()
	if n.told {
		n.told = false
		n.o.Tell(journal.Event{
			Kind: journal.NotifyOK, Reason: fmt.Sprintf("notifier %q (%s) works again after %s", n.name, n.tr.where(), human.Duration(now.Sub(since))), Details: n.details(),
		})
	}
}

func (n *notifier) show() {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.shown.Kind, n.shown.Template = kindOf(n.cfg), ""
	if n.shown.Kind == KindWebhook {
		n.shown.Template = n.cfg.Template
	}
	n.shown.Waiting = int64(len(n.queue.items))
}

func (n *notifier) stats() Stats {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.shown
}
