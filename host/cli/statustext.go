package cli

import (
	"fmt"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"time"

	"servicehost/host/control"
)

// statusColumns are those of the table of services.
var statusColumns = []column{{}, {title: "SERVICE"}, {title: "STATE"}, {title: "HEALTH"}, {title: "PID", right: true},
	{title: "AGE", right: true}, {title: "RESTARTS", right: true}, {title: "CPU", right: true}, {title: "MEM", right: true},
	{title: "REASON", flex: true}}

// statusText is the status for people, for a screen of so many columns.
func (a *app) statusText(s control.Status, lastLines bool, width int) string {
	colors := a.colors()
	var b strings.Builder
	a.statusHead(&b, colors, s, width)
	if len(s.Services) > 0 {
		t := table{columns: statusColumns}
		for _, one := range s.Services {
			t.add(a.statusRow(one)...)
		}
		b.WriteString(t.render(colors, width))
	}
	if len(s.Host.Spec.Problems) > 0 {
		b.WriteByte('\n')
		a.writeProblems(&b, colors, s.Host.Spec.Problems)
	}
	if lastLines {
		for _, one := range s.Services {
			if len(one.LastLines) == 0 {
				continue
			}
			fmt.Fprintf(&b, "\n%s\n", colors.bold("last lines of "+clean(one.ID)+":"))
			for _, l := range one.LastLines {
				fmt.Fprintf(&b, "  %s\n", clean(l))
			}
		}
	}
	return b.String()
}

// statusHead is the line about the host: what of its files runs, and how many services are well.
func (a *app) statusHead(b *strings.Builder, colors palette, s control.Status, width int) {
	sp := s.Host.Spec
	color := ""
	words := string(sp.State)
	switch sp.State {
	case control.SpecApplied:
		words = "applied"
	case control.SpecRejected:
		color = red
		words = fmt.Sprintf("rejected (%s), running what was applied", count(len(sp.Problems), "problem", "problems"))
	case control.SpecPending:
		color = yellow
		words = "pending, running what was applied"
	case control.SpecRolledBack:
		color = red
		words = "rolled back in part, applied"
	case control.SpecLastGood:
		color = red
		words = "broken, running the last good one, applied"
	}
	if !sp.AppliedAt.IsZero() {
		words += " " + age(a.now().Sub(sp.AppliedAt)) + " ago"
	}
	if sp.Commit != "" {
		words += ", commit " + short(clean(sp.Commit))
		if sp.Subject != "" {
			words += ` "` + clean(sp.Subject) + `"`
		}
	}
	left := clean(s.Host.Name)
	middle := clean(filepath.Base(sp.Path)) + " " + words
	right := countDesired(s.Services)
	if s.Host.Paused {
		right += ", paused"
	}
	if s.Host.Stopping {
		right += ", stopping"
	}
	gap := 6
	if width > 0 {
		middle = cut(middle, max(20, width-textWidth(left)-textWidth(right)-5))
		gap = max(3, min(width, 110)-textWidth(left)-2-textWidth(middle)-textWidth(right))
	}
	fmt.Fprintf(b, "%s  %s%s%s\n", colors.bold(left), colors.paint(color, middle), strings.Repeat(" ", gap), right)
	if sp.Reason != "" {
		reason := clean(sp.Reason)
		if sp.State == control.SpecPending && reason != "being applied" {
			reason += "; see host plan, then host reload --confirm"
		}
		fmt.Fprintf(b, "%s\n", colors.yellow(reason))
	}
	for _, t := range s.Host.LogTargets {
		if t.State == "trouble" {
			fmt.Fprintf(b, "%s\n", colors.yellow(fmt.Sprintf("log target %s takes nothing for %s, %s: %s", clean(t.Name), age(a.now().Sub(t.Since)),
				count(int(t.WaitingRecords), "record waits", "records wait"), clean(t.Reason))))
		}
	}
	for _, n := range s.Host.Notify {
		if n.State == "trouble" {
			fmt.Fprintf(b, "%s\n", colors.yellow(fmt.Sprintf("notifier %s takes nothing for %s, %s: %s", clean(n.Name), age(a.now().Sub(n.Since)),
				count(int(n.Waiting), "message waits", "messages wait"), clean(n.Reason))))
		}
	}
}

func countDesired(services []control.ServiceStatus) string {
	good := 0
	for _, s := range services {
		if s.AsDesired {
			good++
		}
	}
	return fmt.Sprintf("%s, %d as desired", count(len(services), "service", "services"), good)
}

func short(commit string) string { return commit[:min(len(commit), 7)] }

func (a *app) statusRow(s control.ServiceStatus) []cell {
	mark, color := "●", green
	switch {
	case !s.AsDesired:
		mark, color = "✗", red
	case s.PID == 0:
		mark, color = "○", dim
	case s.State != "running":
		color = yellow
	}
	dash := func(ok bool, text string) cell {
		if !ok || text == "" {
			return cell{"-", dim}
		}
		return cell{clean(text), ""}
	}
	up := s.PID != 0
	return []cell{
		{mark, color},
		{clean(s.ID), ""},
		{clean(s.State), color},
		dash(s.Health != "unknown", s.Health),
		dash(up, fmt.Sprint(s.PID)),
		dash(!s.Since.IsZero(), age(a.now().Sub(s.Since))),
		{fmt.Sprint(s.Restarts), ""},
		dash(up, fmt.Sprintf("%.1f%%", s.CPUPercent)),
		dash(up && s.MemoryBytes > 0, size(s.MemoryBytes)),
		{reasonOf(s, a.now()), ""},
	}
}

// reasonOf is the reason that the host gave, and what it does not say about health, wish, spec and next try.
func reasonOf(s control.ServiceStatus, now time.Time) string {
	parts := []string{}
	reason := clean(s.Reason)
	if s.NextRun != nil { // the reason is as old as the state, the time that is left is not
		reason = turnIn().ReplaceAllString(reason, "${1}"+age(s.NextRun.Sub(now)))
	}
	if reason != "" {
		parts = append(parts, reason)
	}
	if s.State == "running" || s.State == "starting" {
		if s.Health != "healthy" && s.HealthReason != "" {
			parts = append(parts, clean(s.HealthReason))
		}
		if s.StatusText != "" {
			parts = append(parts, "it says: "+clean(s.StatusText))
		}
	}
	if s.DesiredUntil != nil {
		parts = append(parts, "until "+until(*s.DesiredUntil, now))
	}
	switch {
	case s.NextRun == nil || turnIn().MatchString(reason):
	case strings.HasPrefix(reason, "next run at "):
		parts = append(parts, "in "+age(s.NextRun.Sub(now)))
	default:
		parts = append(parts, "next try in "+age(s.NextRun.Sub(now)))
	}
	if words := rolloutOf(s); words != "" {
		return strings.Join(append(parts, words), ", ")
	}
	switch s.Spec.State {
	case "rolled_back":
		parts = append(parts, "rolled back")
	case "pending":
		parts = append(parts, "an edit is pending")
	}
	return strings.Join(parts, ", ")
}

// rolloutOf says how far the change to another process has come.
func rolloutOf(s control.ServiceStatus) string {
	r := s.Rollout
	if r == nil {
		return ""
	}
	words := ""
	switch r.State {
	case "starting_next":
		words = "the next process is starting beside it"
		if r.PID != 0 {
			words = fmt.Sprintf("process %d is coming up beside it", r.PID)
		}
	case "switching":
		words = fmt.Sprintf("the former process %d is being stopped", r.PID)
	case "ending_next":
		words = fmt.Sprintf("process %d beside it is being ended", r.PID)
	case "held":
		words = "its next process waits"
	default: // in the background
		return ""
	}
	if reason := clean(r.Reason); reason != "" && r.State != "switching" {
		words += ": " + reason
	}
	return words
}

// turnIn finds the time until the next try in a reason.
var turnIn = sync.OnceValue(func() *regexp.Regexp {
	return regexp.MustCompile(`\b((?:next try|next start|tried again|its turn comes) in )(?:\d[\d.]*(?:ms|[smhd]))+`)
})

func until(t, now time.Time) string {
	t = t.Local()
	switch {
	case t.Sub(now) < 2*time.Minute:
		return t.Format("15:04:05")
	case t.Sub(now) < 20*time.Hour:
		return t.Format("15:04")
	}
	return t.Format("2006-01-02 15:04")
}
