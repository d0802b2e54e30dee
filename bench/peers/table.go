package main

import "strings"

// table is what a report consists of: a title, a word about it, rows below a head.
type table struct {
	title, about string
	head         []string
	rows         [][]string
	after        string
}

func (t *table) add(cells ...string) { t.rows = append(t.rows, cells) }

// markdown has a cell for each column of the head, whatever a row brought; a table without rows is left out.
func (t *table) markdown() string {
	if len(t.rows) == 0 {
		return ""
	}
	var b strings.Builder
	if t.title != "" {
		b.WriteString("### " + t.title + "\n\n")
	}
	if t.about != "" {
		b.WriteString(t.about + "\n\n")
	}
	line := func(cells []string) {
		b.WriteByte('|')
		for i := range t.head {
			text := ""
			if i < len(cells) {
				text = cell(cells[i])
			}
			b.WriteString(" " + text + " |")
		}
		b.WriteByte('\n')
	}
	line(t.head)
	b.WriteString("|" + strings.Repeat("---|", len(t.head)) + "\n")
	for _, row := range t.rows {
		line(row)
	}
	if t.after != "" {
		b.WriteString("\n" + t.after + "\n")
	}
	return b.String() + "\n"
}

// cell keeps a text within its cell: a bar or a new line would end it.
func cell(text string) string {
	text = strings.Join(strings.Fields(text), " ")
	return strings.ReplaceAll(text, "|", `\|`)
}
