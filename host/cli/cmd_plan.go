package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"servicehost/host/control"
)

func newPlan(a *app) *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "plan",
		Short: "Show what a reload would do, field by field",
		Long: `Asks the running host what it would do with the files as they are now. Nothing is changed; values
that may be secret are shown as a hash. Of each restart it tells the order, stop_first or start_first, how
many instances are changed at a time, and how far it has come where it is under way.` + exits(
			"0  nothing to do",
			"1  the spec is invalid, or the host could not be asked",
			"2  there are changes",
			"4  no host is running"),
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if asJSON {
				a.output.value = "json"
			}
			return a.plan(cmd.Context())
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "the same as -o json")
	return cmd
}

func (a *app) plan(ctx context.Context) error {
	c, err := a.plannedHost(ctx)
	if err != nil {
		return err
	}
	defer c.Close()
	p, err := c.Plan(ctx)
	if err != nil {
		return err
	}
	if a.json() {
		if err := a.printJSON(p); err != nil {
			return err
		}
	} else {
		a.showPlan(c.Entry().Name, p)
	}
	switch {
	case len(p.Problems) > 0:
		return &exit{exitFailed}
	case len(p.Changes) > 0:
		return &exit{exitChanges}
	}
	return nil
}

// plannedHost is the host that runs the spec which a run here would take. A file in the current folder
// counts as named: a plan of some other host would be mistaken for one of this file.
func (a *app) plannedHost(ctx context.Context) (*control.Client, error) {
	files, err := a.chosenFiles()
	if err != nil {
		return nil, err
	}
	if len(files) > 0 || a.name != "" {
		return a.clientOf(ctx, files)
	}
	for i, place := range usualPlaces() {
		if !exists(place) {
			continue
		}
		c, err := a.clientOf(ctx, []string{place})
		var none *control.NoHostError
		if i > 0 && errors.As(err, &none) {
			break
		}
		return c, err
	}
	return a.clientOf(ctx, nil)
}

func (a *app) showPlan(name string, p control.Plan) {
	colors := a.colors()
	a.printf("%s  %s  %s\n", colors.bold(clean(name)), clean(a.shown(p.Path)), planWords(p))
	if len(p.Problems) > 0 {
		a.writeProblems(a.Stdout, colors, p.Problems)
		return
	}
	writeChanges(a.Stdout, colors, p.Changes)
	if p.Held != "" {
		a.printf("%s %s\n%s apply it with: host reload --confirm\n", colors.yellow("held:"), clean(p.Held), colors.bold("hint:"))
	}
}

func planWords(p control.Plan) string {
	switch {
	case len(p.Problems) > 0:
		return "rejected: " + count(len(p.Problems), "problem", "problems")
	case len(p.Changes) == 0:
		return "nothing to do"
	default:
		return count(len(p.Changes), "change", "changes")
	}
}

// writeChanges shows what happens to each instance, and which keys are the reason.
func writeChanges(w io.Writer, colors palette, changes []control.PlanChange) {
	t := table{columns: []column{{}, {}, {}}}
	instances := map[string]int{}
	for _, c := range changes {
		instances[c.Name]++
	}
	for _, c := range changes {
		mark, color := changeMark(c.Action)
		id := c.ID
		if id == "" {
			id = "host"
		}
		words := strings.ReplaceAll(c.Action, "_", " ")
		switch {
		case c.Order != "" && c.Reason != "":
			words += ": " + paceWords(c, instances[c.Name]) + "; " + clean(c.Reason)
		case c.Order != "":
			words += ": " + paceWords(c, instances[c.Name])
		case c.Reason != "":
			words += ": " + clean(c.Reason)
		}
		t.add(cell{mark, color}, cell{clean(id), color}, cell{words, ""})
	}
	// Fields stand below their change, outside of the table's columns.
	rows := slices.Collect(strings.Lines(t.render(colors, 0)))
	for i, c := range changes {
		fmt.Fprint(w, rows[i])
		for _, f := range c.Fields {
			fmt.Fprintf(w, "    %s: %s → %s%s\n", clean(f.Path), planValue(f.Old), planValue(f.New), colors.dim(fieldNote(f.Class)))
		}
	}
}

// paceWords says how a change reaches a service: "start_first, 1 at a time".
func paceWords(c control.PlanChange, instances int) string {
	if instances < 2 {
		return clean(c.Order)
	}
	return fmt.Sprintf("%s, %d at a time", clean(c.Order), c.Parallelism)
}

func fieldNote(class string) string {
	switch class {
	case "live":
		return "  (without a restart)"
	case "next_start":
		return "  (with the next start of the host)"
	default:
		return ""
	}
}

func planValue(s string) string {
	if s == "" {
		return "-"
	}
	return clean(s)
}

func changeMark(action string) (mark, color string) {
	switch action {
	case "add", "start":
		return "+", green
	case "remove", "stop":
		return "-", red
	case "restart":
		return "~", yellow
	case "keep_rolled_back":
		return "!", red
	default:
		return "~", ""
	}
}
