package logs

import (
	"bytes"
	"encoding/json"
	"time"
)

// parsed is what a line of a text or json log says of itself.
type parsed struct {
	at     int64 // Unix milliseconds
	stream string
	text   []byte
}

var (
	jsonBegin  = []byte(`{"time":"`)
	jsonStream = []byte(`,"stream":"`)
	jsonLine   = []byte(`,"line":"`)
	jsonEnd    = []byte(`"}`)
)

// parseLine takes apart a line that a layout made, without its end. Any other line, as of a program that writes
// JSON itself, is none.
func parseLine(line []byte) (parsed, bool) {
	if len(line) < len(stampForm) {
		return parsed{}, false
	}
	switch c := line[0]; {
	case c == '{':
		return parseJSON(line)
	case '0' <= c && c <= '9':
		return parseText(line)
	}
	return parsed{}, false
}

func parseText(line []byte) (p parsed, ok bool) {
	if p.at, ok = parseStamp(line); !ok {
		return p, false
	}
	rest, ok := bytes.CutPrefix(line[len(stampForm):], []byte{' '})
	if !ok {
		return p, false
	}
	stream, rest, ok := bytes.Cut(rest, []byte{' '})
	if p.stream = streamName(stream); !ok || p.stream == "" {
		return p, false
	}
	_, rest, ok = bytes.Cut(rest, []byte{' '})
	if !ok || len(rest) < 2 || (rest[0] != '|' && rest[0] != '+') || rest[1] != ' ' {
		return p, false
	}
	p.text = rest[2:]
	return p, true
}

func parseJSON(line []byte) (p parsed, ok bool) {
	rest, ok := bytes.CutPrefix(line, jsonBegin)
	if !ok {
		return p, false
	}
	if p.at, ok = parseStamp(rest); !ok {
		return p, false
	}
	// A service's name holds no quotes.
	i := bytes.Index(rest, jsonStream)
	if i < 0 {
		return p, false
	}
	stream, rest, ok := bytes.Cut(rest[i+len(jsonStream):], []byte{'"'})
	if p.stream = streamName(stream); !ok || p.stream == "" {
		return p, false
	}
	if rest, ok = bytes.CutPrefix(rest, jsonLine); !ok {
		return p, false
	}
	if rest, ok = bytes.CutSuffix(rest, jsonEnd); !ok {
		return p, false
	}
	if bytes.IndexByte(rest, '\\') < 0 {
		p.text = rest
		return p, bytes.IndexByte(rest, '"') < 0
	}
	var text string
	quoted := line[len(line)-len(jsonEnd)-len(rest)-1 : len(line)-1]
	if json.Unmarshal(quoted, &text) != nil {
		return p, false
	}
	p.text = []byte(text)
	return p, true
}

func streamName(b []byte) string {
	for _, s := range [...]string{streamOut, streamErr, streamHost} {
		if string(b) == s {
			return s
		}
	}
	return ""
}

// parseStamp reads the stamp that b begins with.
func parseStamp(b []byte) (int64, bool) {
	if len(b) < len(stampForm) || b[10] != 'T' || b[19] != '.' || b[23] != 'Z' {
		return 0, false
	}
	t, err := time.Parse(stampForm, string(b[:len(stampForm)]))
	return t.UnixMilli(), err == nil
}
