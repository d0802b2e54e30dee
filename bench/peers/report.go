package main

import (
	"fmt"
	"slices"
	"strings"
)

// report is a run as Markdown.
func report(r *run) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s. Measured on %s. The child is %s.\n\n", r.Machine, r.Date, r.Child)
	for _, t := range []*table{
		versions(r), goals(r), started(r), restarted(r), changed(r), stopped(r), memory(r), atRest(r), written(r, 1), written(r, 20), leftBehind(r), asked(r),
	} {
		b.WriteString(t.markdown())
	}
	b.WriteString(configurations(r))
	return b.String()
}

func versions(r *run) *table {
	t := &table{title: "Who takes part", head: []string{"contender", "version", "output of a service goes to", "restart delay as it comes", "in the restart test", "what it lacks"}}
	for _, a := range r.Contenders {
		if a.Missing != "" {
			t.add(a.Title, a.Missing)
			continue
		}
		t.add(a.Title, a.Version, a.Output, a.Delay, a.Lowest, a.Lacks)
	}
	return t
}

// perSize is a table with a column for each number of services; figures are of one name, ratios in bold
// are those of the medians to the floor.
func perSize(r *run, test, name string, t *table, more func(a about) []string) *table {
	sizes := r.sizes(test)
	t.head = []string{"contender"}
	for _, n := range sizes {
		t.head = append(t.head, fmt.Sprint(n))
	}
	for _, a := range r.took(test) {
		row := []string{a.Title}
		for _, n := range sizes {
			row = append(row, ratioCell(r, test, a.Name, n, name, "floor"))
		}
		if more != nil {
			row = append(row, more(a)...)
		}
		t.add(row...)
	}
	return t
}

// ratioCell is a figure with its ratio to that of another contender.
func ratioCell(r *run, test, who string, n int, name, to string) string {
	v := r.values(test, who, n, name)
	if len(v) == 0 {
		if text := r.failure(test, who, n); text != "" {
			return "failed: " + text
		}
		return "–"
	}
	text := v.spread()
	if who == to {
		return text
	}
	if ratio := times(v.median(), r.values(test, to, n, name).median()); ratio != "" {
		return "**" + ratio + "** " + text
	}
	return text
}

// configurations are the files and commands of each contender, with one service.
func configurations(r *run) string {
	var b strings.Builder
	b.WriteString("### The configuration of each\n\nOne service with all that is set in any test: the delay for restarts, rotation for output, groups for what is left behind. `CHILD` is the program that is run, `DIR` a folder of the session.\n\n")
	shown := 0
	for _, a := range r.Contenders {
		if len(a.Listing) == 0 {
			continue
		}
		shown++
		fmt.Fprintf(&b, "<details><summary>%s %s</summary>\n\n", a.Title, a.Version)
		var commands []string
		for _, l := range a.Listing {
			if slices.Contains([]string{"start", "change", "list", "stop one"}, l.What) {
				commands = append(commands, fmt.Sprintf("%-10s%s", l.What, l.Text))
				continue
			}
			fmt.Fprintf(&b, "`%s`\n\n```\n%s\n```\n\n", l.What, l.Text)
		}
		fmt.Fprintf(&b, "```\n%s\n```\n\n</details>\n\n", strings.Join(commands, "\n"))
	}
	if shown == 0 {
		return ""
	}
	return b.String()
}
