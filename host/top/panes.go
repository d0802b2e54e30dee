package top

import (
	"strings"

	"github.com/gdamore/tcell/v2"
	"github.com/rivo/uniseg"
)

// output draws the newest lines of the selected service between two lines of the screen.
func (v *view) output(from, to, width int) {
	title := "no service is selected"
	if s, ok := v.model.selected(); ok {
		title = "output of " + s.ID
	}
	x := v.put(0, from, width, cut("── "+title+" ", width), v.style(Faint))
	v.put(x, from, width, strings.Repeat("─", max(0, width-x)), v.style(Faint))
	lines, trouble := v.tail.last(to - from - 1)
	if trouble != "" {
		lines = append(lines[min(len(lines), max(0, len(lines)-(to-from-2))):], line{trouble, true})
	}
	for i, l := range lines {
		color := Plain
		if l.bad {
			color = Attention
		}
		v.put(0, from+1+i, width, cut(l.text, width), v.style(color))
	}
}

// foot is the last line: what is asked, what came of it, or the keys.
func (v *view) foot(y, width int) {
	m := v.model
	text, style := "? help  / filter  o sort  l output  r restart  s start  x stop  q quit", v.style(Faint)
	switch {
	case m.confirm != nil:
		text, style = string(m.confirm.verb)+" "+m.confirm.id+"? y = yes, any other key = no", v.style(Attention).Bold(true)
	case m.typing:
		text, style = "/"+m.filter+"▏", tcell.StyleDefault
	case m.gone != "":
		text, style = "not reached, trying again: "+m.gone, v.style(Bad)
	case m.notice != "":
		text, style = m.notice, v.style(Good)
		if m.bad {
			style = v.style(Bad)
		}
	case m.filter != "":
		text, style = "filter: "+m.filter+"  (Esc shows all)", v.style(Attention)
	}
	v.put(0, y, width, cut(v.o.Clean(text), width), style)
}

// help draws the keys over the middle of the screen.
func (v *view) help(width, height int) {
	left, right := 0, 0
	for _, l := range help {
		left, right = max(left, uniseg.StringWidth(l[0])), max(right, uniseg.StringWidth(l[1]))
	}
	w, h := min(left+right+6, width), min(len(help)+2, height)
	x, y := (width-w)/2, (height-h)/2
	style := tcell.StyleDefault.Reverse(true)
	for row := range h {
		for column := range w {
			v.screen.SetContent(x+column, y+row, ' ', nil, style)
		}
		if n := row - 1; n >= 0 && n < len(help) && row < h-1 {
			v.put(x+2, y+row, x+w, help[n][0], style.Bold(true))
			v.put(x+4+left, y+row, x+w, help[n][1], style)
		}
	}
}
