package cli

import (
	"context"
	"encoding/json"
	"errors"
	"strings"
	"time"

	"servicehost/host/control"
)

// Escape sequences of the terminal: the cursor home, rest of line and screen cleared, cursor off and on.
const (
	home       = "\x1b[H"
	clearLine  = "\x1b[K"
	clearBelow = "\x1b[J"
	cursorOff  = "\x1b[?25l"
	cursorOn   = "\x1b[?25h"
)

// watchStatus shows the status each second until it is interrupted, over restarts of the host too.
func (a *app) watchStatus(ctx context.Context, names []string) error {
	screen := a.out.file != nil && a.out.color && !a.json()
	if screen {
		a.printf("%s%s%s", cursorOff, home, clearBelow)
		defer a.printf("%s", cursorOn)
	}
	seen := false
	for {
		text, err := a.statusOnce(ctx, names)
		var none *control.NoHostError
		switch {
		case ctx.Err() != nil:
			return nil // this is how watching ends
		case err == nil:
			seen = true
		case seen && (errors.As(err, &none) || errors.Is(err, control.ErrGone)):
			text = "the host is not running; waiting for it\n"
		default:
			return err
		}
		if screen {
			a.draw(text)
		} else {
			a.printf("%s\n", strings.TrimRight(text, "\n"))
		}
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(time.Second):
		}
	}
}

func (a *app) statusOnce(ctx context.Context, names []string) (string, error) {
	s, err := a.statusOf(ctx, names)
	if err != nil {
		return "", err
	}
	if a.json() {
		line, err := json.Marshal(s)
		return string(line), err
	}
	width, _ := a.out.size()
	return a.statusText(s, len(names) > 0, width), nil
}

// draw overwrites the screen rather than clearing it, which would flicker. What has no room is counted.
func (a *app) draw(text string) {
	_, height := a.out.size()
	rows := strings.Split(strings.TrimRight(text, "\n"), "\n")
	if height > 1 && len(rows) > height-1 {
		hidden := len(rows) - (height - 2)
		rows = append(rows[:height-2], count(hidden, "more line", "more lines"))
	}
	a.printf("%s%s%s\n%s", home, strings.Join(rows, clearLine+"\n"), clearLine, clearBelow)
}
