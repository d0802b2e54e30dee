package cli

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"servicehost/host/journal"
)

const eventTime = "2006-01-02 15:04:05"

// eventLine is an event for people, on one line.
func eventLine(e journal.Event, colors palette) string {
	who := e.ID
	if who == "" {
		who = e.Service
	}
	if who == "" {
		who = "host"
	}
	who = clean(who)
	if pad := 16 - textWidth(who); pad > 0 {
		who += strings.Repeat(" ", pad)
	}
	return fmt.Sprintf("%s  %s  %s\n", colors.dim(e.Time.Local().Format(eventTime)), colors.bold(who), colors.paint(eventColor(e), eventWords(e)))
}

func eventWords(e journal.Event) string {
	what := strings.ReplaceAll(string(e.Kind), "_", " ")
	reason := e.Reason
	switch e.Kind {
	case journal.StateChanged:
		what = e.From + " → " + e.To
	case journal.ProcessExited:
		if e.Exit != nil && e.Exit.Text != "" && !strings.Contains(reason, e.Exit.Text) {
			what = e.Exit.Text
		}
	case journal.OperatorAction:
		if reason != "" {
			what, reason = reason, ""
		}
		if until, err := time.Parse(time.RFC3339, e.Details[journal.DetailUntil]); err == nil {
			what += " until " + until.Local().Format(eventTime)
		}
	}
	text := clean(what)
	if e.PID != 0 {
		text += fmt.Sprintf(" (pid %d)", e.PID)
	}
	if reason != "" {
		text += ": " + clean(reason)
	}
	who := []string{}
	for _, w := range []string{e.Actor, journal.EditedBy(e)} {
		if w != "" {
			who = append(who, clean(w))
		}
	}
	if len(who) > 0 {
		text += " (" + strings.Join(who, ": ") + ")"
	}
	return text
}

var (
	badEvents  = []journal.Kind{journal.StartFailed, journal.Failed, journal.ReloadRejected, journal.RolledBack, journal.LogTrouble, journal.ForwardTrouble, journal.NotifyTrouble, journal.ForwardDropped, journal.LastGood, journal.UpgradeUndone}
	warnEvents = []journal.Kind{journal.Killed, journal.LimitHit, journal.Threshold, journal.ReloadPending, journal.OutputDropped, journal.LogsTrimmed, journal.OrphansEnded, journal.Unhealthy, journal.Skipped, journal.UpgradeCut, journal.Warning}
	goodEvents = []journal.Kind{journal.Recovered, journal.Healthy, journal.ThresholdCleared, journal.ForwardOK, journal.NotifyOK, journal.ReloadApplied, journal.Upgraded}
)

func eventColor(e journal.Event) string {
	switch {
	case slices.Contains(badEvents, e.Kind), e.Kind == journal.StateChanged && e.To == "failed":
		return red
	case slices.Contains(warnEvents, e.Kind), e.Kind == journal.StateChanged && e.To == "backoff":
		return yellow
	case slices.Contains(goodEvents, e.Kind):
		return green
	default:
		return ""
	}
}
