package cli

import "strings"

// column is one of a table. Of a flexible one the end may be cut to fit the screen.
type column struct {
	title string
	right bool
	flex  bool
}

// cell is a clean text and the colour it is shown in.
type cell struct{ text, color string }

// table aligns by the columns that texts take on a terminal, wide characters too.
type table struct {
	columns []column
	rows    [][]cell
}

func (t *table) add(cells ...cell) { t.rows = append(t.rows, cells) }

// render writes the table for a screen of so many columns; 0 is no limit.
func (t *table) render(p palette, screen int) string {
	widths := make([]int, len(t.columns))
	titled := false
	for i, c := range t.columns {
		widths[i] = textWidth(c.title)
		titled = titled || c.title != ""
		for _, row := range t.rows {
			widths[i] = max(widths[i], textWidth(row[i].text))
		}
	}
	if screen > 0 {
		t.fit(widths, screen)
	}
	var b strings.Builder
	if titled {
		header := make([]cell, len(t.columns))
		for i, c := range t.columns {
			header[i] = cell{c.title, dim}
		}
		t.line(&b, p, widths, header)
	}
	for _, row := range t.rows {
		t.line(&b, p, widths, row)
	}
	return b.String()
}

// fit takes from the flexible columns what the screen doesn't have.
func (t *table) fit(widths []int, screen int) {
	over := len(widths) - 1 - screen
	for i, w := range widths {
		over += w
		if i > 0 && i+1 < len(widths) {
			over++ // columns stand two apart, the mark before the first one one
		}
	}
	for i, c := range t.columns {
		if c.flex && over > 0 {
			take := min(over, max(0, widths[i]-8))
			widths[i] -= take
			over -= take
		}
	}
}

func (t *table) line(b *strings.Builder, p palette, widths []int, row []cell) {
	var line strings.Builder
	for i, c := range row {
		if i > 0 {
			line.WriteByte(' ')
			if i > 1 {
				line.WriteByte(' ')
			}
		}
		text := cut(c.text, widths[i])
		pad := strings.Repeat(" ", widths[i]-textWidth(text))
		if t.columns[i].right {
			line.WriteString(pad + p.paint(c.color, text))
		} else {
			line.WriteString(p.paint(c.color, text) + pad)
		}
	}
	b.WriteString(strings.TrimRight(line.String(), " ") + "\n")
}
