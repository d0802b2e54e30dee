package top

import (
	"fmt"
	"strings"
	"sync"

	"github.com/gdamore/tcell/v2"
	"github.com/rivo/uniseg"

	"servicehost/host/human"
)

// view draws the model. All but source belongs to the loop.
type view struct {
	o       Options
	screen  tcell.Screen
	model   *model
	tail    *tail
	answers chan answer
	rows    int // of the table on the screen

	mu     sync.Mutex
	source Source
}

const sparkWidth = 12

func (v *view) style(c Color) tcell.Style {
	s := tcell.StyleDefault
	if v.o.NoColor {
		return s
	}
	switch c {
	case Good:
		return s.Foreground(tcell.ColorGreen)
	case Attention:
		return s.Foreground(tcell.ColorOlive)
	case Bad:
		return s.Foreground(tcell.ColorMaroon).Bold(true)
	case Faint:
		return s.Dim(true)
	case Plain:
	}
	return s
}

// put writes a text at a place and returns the column behind it. What has no room before end is cut.
func (v *view) put(x, y, end int, text string, style tcell.Style) int {
	state := -1
	for text != "" && x < end {
		var cluster string
		var width int
		cluster, text, width, state = uniseg.FirstGraphemeClusterInString(text, state)
		if x+width > end {
			break
		}
		if width > 0 {
			runes := []rune(cluster)
			v.screen.SetContent(x, y, runes[0], runes[1:], style)
		}
		x += width
	}
	return x
}

// cut shortens a text to so many columns, with a mark that it did.
func cut(s string, columns int) string {
	if uniseg.StringWidth(s) <= columns {
		return s
	}
	var b strings.Builder
	n, state := 0, -1
	for s != "" {
		var cluster string
		var width int
		cluster, s, width, state = uniseg.FirstGraphemeClusterInString(s, state)
		if n+width > columns-1 {
			break
		}
		n += width
		b.WriteString(cluster)
	}
	return b.String() + "…"
}

func (v *view) draw() {
	v.screen.Clear()
	width, height := v.screen.Size()
	y := 0
	for _, l := range v.o.Head(v.model.status, width) {
		if y >= max(1, height-4) {
			break
		}
		v.put(0, y, width, cut(l.Text, width), v.style(l.Color))
		y++
	}
	cpu, memory := v.model.sums()
	sums := fmt.Sprintf("%s shown, CPU %.1f%%, memory %s, by %s", human.Count(len(v.model.shown), "service"), cpu, v.o.Size(memory), orderNames[v.model.by])
	v.put(0, y, width, cut(sums, width), v.style(Faint))
	y++
	bottom := height - 1 // the last line is for keys and notices
	pane := 0
	if v.model.logs {
		pane = max(0, min((bottom-y)/2, bottom-y-4))
	}
	v.table(y, bottom-pane, width)
	if pane > 0 {
		v.output(bottom-pane, bottom, width)
	}
	if v.model.help {
		v.help(width, height)
	}
	v.foot(bottom, width)
	v.screen.Show()
}

// table draws the services between two lines.
func (v *view) table(from, to, width int) {
	m := v.model
	v.rows = max(1, to-from-1)
	m.scroll(v.rows)
	last := min(m.top+v.rows, len(m.shown))
	lines := make([][]Cell, 0, v.rows)
	for _, s := range m.shown[min(m.top, last):last] {
		cells := v.o.Cells(s)
		lines = append(lines, cells)
	}
	widths := v.widths(lines, width)
	heads := make([]Cell, len(v.o.Columns))
	for i, c := range v.o.Columns {
		heads[i] = Cell{c.Title, Faint}
	}
	v.line(from, width, widths, heads, nil, false)
	for i, cells := range lines {
		s := m.shown[m.top+i]
		v.line(from+1+i, width, widths, cells, m.history[s.ID], m.top+i == m.index)
	}
	if len(m.shown) == 0 && to-from > 1 {
		v.put(2, from+1, width, "no service matches", v.style(Faint))
	}
}

func (v *view) widths(lines [][]Cell, width int) []int {
	widths := make([]int, len(v.o.Columns))
	left := width
	for i, c := range v.o.Columns {
		widths[i] = uniseg.StringWidth(c.Title)
		for _, cells := range lines {
			widths[i] = max(widths[i], uniseg.StringWidth(cells[i].Text))
		}
		if c.Spark != "" && width >= 100 {
			left -= sparkWidth + 1
		}
		left -= gap(i)
		if !c.Flex {
			left -= widths[i]
		}
	}
	for i, c := range v.o.Columns {
		if c.Flex {
			widths[i] = max(0, min(widths[i], left))
		}
	}
	return widths
}

// gap stands before a column; the first one is the mark.
func gap(column int) int { return min(column, 2) }

func (v *view) line(y, width int, widths []int, cells []Cell, h *history, selected bool) {
	x := 0
	if selected {
		for i := range width {
			v.screen.SetContent(i, y, ' ', nil, tcell.StyleDefault.Reverse(true))
		}
	}
	for i, c := range v.o.Columns {
		x += gap(i)
		text := cut(cells[i].Text, widths[i])
		at := x
		if c.Right {
			at += widths[i] - uniseg.StringWidth(text)
		}
		style := v.style(cells[i].Color)
		if selected {
			style = style.Reverse(true)
		}
		v.put(at, y, width, text, style)
		x += widths[i]
		if c.Spark == "" || width < 100 {
			continue
		}
		if h != nil {
			picture := ""
			if c.Spark == "cpu" {
				picture = h.cpuSpark(sparkWidth)
			} else {
				picture = h.memorySpark(sparkWidth)
			}
			v.put(x+1, y, width, picture, v.style(Faint).Reverse(selected))
		}
		x += sparkWidth + 1
	}
}
