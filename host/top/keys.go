package top

import (
	"context"
	"unicode/utf8"

	"github.com/gdamore/tcell/v2"

	"servicehost/host/control"
)

// help is what the keys do, in pairs.
var help = [][2]string{
	{"↑ ↓  j k", "select a service; PgUp, PgDn, Home and End too"},
	{"o  O", "sort by the next column; the other way round"},
	{"c  m  n", "sort by CPU, by memory, by name"},
	{"/", "filter by name, state, health and reason; Esc ends it"},
	{"l  Enter", "show the output of the selected service, or not"},
	{"r  s  x", "restart, start, stop the selected service"},
	{"R", "run a job now"},
	{"?", "this help"},
	{"q  Ctrl-C", "leave; the host goes on"},
}

// key does what a key asks for and reports whether that is to leave.
func (v *view) key(ctx context.Context, e tcell.Event) bool {
	switch e := e.(type) {
	case *tcell.EventResize:
		v.screen.Sync()
	case *tcell.EventError:
		return true
	case *tcell.EventKey:
		m := v.model
		switch {
		case e.Key() == tcell.KeyCtrlC:
			return true
		case m.typing:
			m.typed(e)
		case m.confirm != nil:
			w := *m.confirm
			m.confirm = nil
			if e.Rune() == 'y' || e.Rune() == 'Y' {
				v.act(ctx, w)
			}
		case m.help:
			m.help = false
		default:
			m.notice = ""
			return v.command(e)
		}
	}
	return false
}

// typed edits the filter.
func (m *model) typed(e *tcell.EventKey) {
	switch e.Key() {
	case tcell.KeyEnter:
		m.typing = false
	case tcell.KeyEscape:
		m.typing, m.filter = false, ""
	case tcell.KeyBackspace, tcell.KeyBackspace2:
		_, n := utf8.DecodeLastRuneInString(m.filter)
		m.filter = m.filter[:len(m.filter)-n]
	case tcell.KeyCtrlU:
		m.filter = ""
	case tcell.KeyRune:
		if len(m.filter) < 200 {
			m.filter += string(e.Rune())
		}
	}
	m.arrange()
}

func (v *view) command(e *tcell.EventKey) bool {
	m := v.model
	switch e.Key() {
	case tcell.KeyUp:
		m.move(-1)
	case tcell.KeyDown:
		m.move(1)
	case tcell.KeyPgUp:
		m.move(-v.rows)
	case tcell.KeyPgDn:
		m.move(v.rows)
	case tcell.KeyHome:
		m.move(-len(m.shown))
	case tcell.KeyEnd:
		m.move(len(m.shown))
	case tcell.KeyEnter:
		m.logs = !m.logs
	case tcell.KeyEscape:
		if m.filter == "" {
			return true
		}
		m.filter = ""
		m.arrange()
	case tcell.KeyRune:
		return v.letter(e.Rune())
	}
	return false
}

func (v *view) letter(r rune) bool {
	m := v.model
	sort := func(by order) {
		m.by = by
		m.arrange()
	}
	ask := func(verb control.Verb) {
		if s, ok := m.selected(); ok && m.gone == "" {
			m.confirm = &wish{verb, s.ID}
		}
	}
	switch r {
	case 'q':
		return true
	case 'j':
		m.move(1)
	case 'k':
		m.move(-1)
	case 'g':
		m.move(-len(m.shown))
	case 'G':
		m.move(len(m.shown))
	case 'o':
		sort((m.by + 1) % orders)
	case 'O':
		m.reverse = !m.reverse
		m.arrange()
	case 'c':
		sort(byCPU)
	case 'm':
		sort(byMemory)
	case 'n':
		sort(byName)
	case '/':
		m.typing = true
	case 'l':
		m.logs = !m.logs
	case '?', 'h':
		m.help = true
	case 'r':
		ask(control.VerbRestart)
	case 's':
		ask(control.VerbStart)
	case 'x':
		ask(control.VerbStop)
	case 'R':
		ask(control.VerbRunNow)
	}
	return false
}

// act asks the host in the background; the answer comes to the loop.
func (v *view) act(ctx context.Context, w wish) {
	v.model.notice, v.model.bad = string(w.verb)+" "+w.id+" …", false
	go func() {
		ctx, cancel := context.WithTimeout(ctx, actTime)
		defer cancel()
		res, err := v.current().Act(ctx, control.ActRequest{Verb: w.verb, Names: []string{w.id}, Timeout: actTime})
		a := answer{notice: string(w.verb) + " " + w.id + ": done"}
		if err != nil {
			a = answer{notice: string(w.verb) + " " + w.id + ": " + err.Error(), bad: true}
		}
		for _, one := range res.Services {
			if !one.OK {
				a = answer{notice: string(w.verb) + " " + one.ID + ": " + one.State + ", " + one.Reason, bad: true}
			}
		}
		v.send(ctx, a)
	}()
}
