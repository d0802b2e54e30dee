package cli

import (
	"context"
	"errors"
	"strings"

	"github.com/spf13/cobra"

	"servicehost/host/control"
	"servicehost/host/top"
)

func newTop(a *app) *cobra.Command {
	return &cobra.Command{
		Use:               "top [name…]",
		Short:             "Watch the services on the full screen",
		ValidArgsFunction: a.completeServices,
		Long: `Shows the services live, with their recent CPU and memory and the output of the selected one; keys sort, filter,
restart, start and stop. ? lists them. The host goes on when it is left.` + exits(
			"0  it was left",
			"1  there is no terminal, or no such service",
			"4  no host is running"),
		RunE: func(cmd *cobra.Command, args []string) error { return a.top(cmd.Context(), args) },
	}
}

func (a *app) top(ctx context.Context, names []string) error {
	if a.json() {
		return withHint("host status -o json tells the same once", "top has no JSON")
	}
	if a.out.file == nil {
		return withHint("host status --watch works without", "top needs a terminal")
	}
	if _, err := a.statusOf(ctx, names); err != nil {
		return err
	}
	err := top.Run(ctx, a.topOptions(names))
	if errors.Is(err, top.ErrNoTerminal) {
		return withHint("host status --watch works on any terminal", "%w", err)
	}
	return err
}

// topOptions have the view speak as status does.
func (a *app) topOptions(names []string) top.Options {
	columns := make([]top.Column, len(statusColumns))
	for i, c := range statusColumns {
		columns[i] = top.Column{Title: c.title, Right: c.right, Flex: c.flex}
		switch c.title {
		case "CPU":
			columns[i].Spark = "cpu"
		case "MEM":
			columns[i].Spark = "memory"
		}
	}
	return top.Options{
		Connect: func(ctx context.Context) (top.Source, error) { return a.client(ctx) },
		Retry: func(err error) bool {
			var none *control.NoHostError
			return errors.Is(err, control.ErrGone) || errors.As(err, &none)
		},
		Columns: columns,
		Cells: func(s control.ServiceStatus) []top.Cell {
			row := a.statusRow(s)
			cells := make([]top.Cell, len(row))
			for i, c := range row {
				cells[i] = top.Cell{Text: c.text, Color: topColors[c.color]}
			}
			return cells
		},
		Head: func(s control.Status, width int) []top.Cell {
			var b strings.Builder
			a.statusHead(&b, palette{}, s, width)
			color := top.Plain
			if !asDesired(s) {
				color = top.Attention
			}
			var lines []top.Cell
			for l := range strings.Lines(b.String()) {
				lines = append(lines, top.Cell{Text: strings.TrimRight(l, "\n"), Color: color})
			}
			return lines
		},
		Clean:    clean,
		Size:     size,
		Services: names,
		NoColor:  a.noColor || !a.out.color,
	}
}

var topColors = map[string]top.Color{green: top.Good, yellow: top.Attention, red: top.Bad, dim: top.Faint}
