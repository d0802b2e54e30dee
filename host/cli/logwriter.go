package cli

import (
	"bufio"
	"encoding/json"
	"strings"
	"sync"
	"time"

	"servicehost/host/control"
)

// logWriter writes lines of services: as they are for one, with a prefix each when there are several.
type logWriter struct {
	colors   palette
	json     bool
	raw      bool
	terminal bool
	prefix   map[string]string

	mu    sync.Mutex
	out   *bufio.Writer
	timer *time.Timer
	err   error
}

func (a *app) newLogWriter() *logWriter {
	w := &logWriter{colors: a.colors(), json: a.json(), raw: a.output.value == "raw", terminal: a.out.file != nil, prefix: map[string]string{}}
	w.out = bufio.NewWriterSize(a.Stdout, 64<<10)
	// Lines are collected for a moment, not one write each, and seen soon.
	w.timer = time.AfterFunc(time.Hour, func() { _ = w.flush() })
	return w
}

// announce says whose lines may come, so that the prefixes have one width from the first line on.
func (w *logWriter) announce(ids []string) {
	seen := map[string]bool{}
	var order []string
	wide := 0
	for _, id := range ids {
		if !seen[id] {
			seen[id] = true
			order = append(order, id)
			wide = max(wide, textWidth(clean(id)))
		}
	}
	if len(order) < 2 {
		return
	}
	for i, id := range order {
		name := clean(id)
		w.prefix[id] = w.colors.paint(serviceColors[i%len(serviceColors)], name+strings.Repeat(" ", wide-textWidth(name))+" |") + " "
	}
}

func (w *logWriter) line(l control.LogLine) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.err != nil {
		return w.err
	}
	if w.json {
		data, err := json.Marshal(l)
		if err != nil {
			return err
		}
		_, w.err = w.out.Write(append(data, '\n'))
	} else {
		w.text(l)
	}
	w.timer.Reset(10 * time.Millisecond)
	return w.err
}

// text writes a line with its prefix, and each line of a record so.
func (w *logWriter) text(l control.LogLine) {
	prefix, rest := w.prefix[l.ID], l.Line
	if w.raw {
		prefix = ""
	}
	if l.Bytes != nil {
		rest = string(l.Bytes)
	}
	for more := true; more && w.err == nil; {
		var text string
		text, rest, more = strings.Cut(rest, "\n")
		if w.terminal {
			text = onlyColors(text)
			if w.colors.on && strings.Contains(text, "\x1b[") {
				text += "\x1b[0m" // a colour ends with its line
			}
		}
		_, w.err = w.out.WriteString(prefix + text + "\n")
	}
}

func (w *logWriter) flush() error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.err == nil {
		w.err = w.out.Flush()
	}
	return w.err
}

// onlyColors takes from a line what would do anything to a terminal but colour the text: other escape
// sequences and control characters.
func onlyColors(s string) string {
	if strings.IndexFunc(s, isControl) < 0 {
		return s
	}
	var b strings.Builder
	for i := 0; i < len(s); {
		if s[i] != 0x1b {
			end := i + 1
			for end < len(s) && s[end] != 0x1b {
				end++
			}
			b.WriteString(strings.Map(func(r rune) rune {
				if isControl(r) && r != '\t' {
					return -1
				}
				return r
			}, s[i:end]))
			i = end
			continue
		}
		end, color := sequence(s[i:])
		if color {
			b.WriteString(s[i : i+end])
		}
		i += end
	}
	return b.String()
}

func isControl(r rune) bool { return r < 0x20 || r >= 0x7f && r < 0xa0 }

// sequence returns the length of the escape sequence that s begins with, and whether it sets colours.
func sequence(s string) (n int, color bool) {
	if len(s) < 2 {
		return len(s), false
	}
	switch s[1] {
	case '[': // parameters, then one final byte
		for i := 2; i < len(s); i++ {
			switch c := s[i]; {
			case c >= 0x40 && c <= 0x7e:
				return i + 1, c == 'm' && strings.Trim(s[2:i], "0123456789;:") == ""
			case c < 0x20 || c >= 0x7f:
				return i, false
			}
		}
		return len(s), false
	case ']', 'P', 'X', '^', '_': // text up to BEL or ESC \
		for i := 2; i < len(s); i++ {
			if s[i] == 0x07 {
				return i + 1, false
			}
			if s[i] == 0x1b {
				if i+1 < len(s) && s[i+1] == '\\' {
					return i + 2, false
				}
				return i, false
			}
		}
		return len(s), false
	}
	i := 1 // intermediate bytes, then one final byte
	for i < len(s) && s[i] >= 0x20 && s[i] <= 0x2f {
		i++
	}
	return min(i+1, len(s)), false
}
