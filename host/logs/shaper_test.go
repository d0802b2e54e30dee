package logs

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"golang.org/x/text/encoding/simplifiedchinese"

	"servicehost/spec"
)

// shapedAs is what is in the file after chunks came at one moment: 2000-01-01T00:00:00Z, as synctest has it.
func shapedAs(t *testing.T, cfg spec.Log, chunks ...string) string {
	t.Helper()
	got, _ := shapedWith(t, cfg, nil, chunks...)
	return got
}

func shapedWith(t *testing.T, cfg spec.Log, sink Sink, chunks ...string) (string, Stats) {
	t.Helper()
	cfg.Path = logPath(t)
	var stats Stats
	synctest.Test(t, func(t *testing.T) {
		p, src := openShaped(t, cfg, sink)
		for _, c := range chunks {
			src.send(c)
		}
		src.end()
		p.Drain(time.Minute)
		stats = p.Stats()
		p.Close()
	})
	return contentOrNone(cfg.Path), stats
}

// openShaped is for a bubble of synctest: no sweep disturbs it.
func openShaped(t *testing.T, cfg spec.Log, sink Sink) (*Pipeline, *stream) {
	t.Helper()
	o := Options{}
	if sink != nil {
		o.Sink = func(string) Sink { return sink }
		cfg.Forward = []string{"target"}
	}
	s := newSet(o, realFiles, defaultTiming)
	s.timing.first = 100 * time.Hour
	t.Cleanup(s.Close)
	p := s.Pipeline("api.2", cfg)
	t.Cleanup(p.Close)
	src := newStream()
	p.Attach(src, nil)
	return p, src
}

// recorder keeps the records that it gets.
type recorder struct {
	mu  sync.Mutex
	all []string
}

func (r *recorder) Take(x Record) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.all = append(r.all, fmt.Sprintf("%s %s/%d %s %s: %s", x.Time.UTC().Format("05.000"), x.Service, x.Instance, x.ID, x.Stream, x.Text))
}

const trace = "started\nException in thread \"main\" java.lang.IllegalStateException: no\r\n" +
	"\tat com.example.Main.run(Main.java:17)\n\tat com.example.Main.main(Main.java:5)\nCaused by: java.io.IOException: disk\n\t... 2 more\nnext\n"

func TestFormatsOfRecords(t *testing.T) {
	const textHead, jsonHead = "2000-01-01T00:00:00.000Z stdout api.2 ", `{"time":"2000-01-01T00:00:00.000Z","service":"api","instance":2,"stream":"stdout","line":"`
	joined := `^(\s|Caused by:)`
	for _, c := range []struct {
		name     string
		cfg      spec.Log
		in, want string
	}{
		{"text", spec.Log{Format: spec.FormatText}, "one\r\n\ntwo \xff\x00\n\u4e2d", textHead + "| one\n" + textHead + "| \n" + textHead + "| two \xff\x00\n" + textHead + "| \u4e2d\n"},
		{"json", spec.Log{Format: spec.FormatJSON}, "one\r\n\na\t\"b\" \\ <&>\xff\x01\u2028\u4e2d\n",
			jsonHead + "one\"}\n" + jsonHead + "\"}\n" + jsonHead + `a\t\"b\" \\ <&>\ufffd\u0001\u2028` + "\u4e2d\"}\n"},
		{"text joined", spec.Log{Format: spec.FormatText, Multiline: joined}, trace,
			textHead + "| started\n" + textHead + "| Exception in thread \"main\" java.lang.IllegalStateException: no\n" +
				textHead + "+ \tat com.example.Main.run(Main.java:17)\n" + textHead + "+ \tat com.example.Main.main(Main.java:5)\n" +
				textHead + "+ Caused by: java.io.IOException: disk\n" + textHead + "+ \t... 2 more\n" + textHead + "| next\n"},
		{"json joined", spec.Log{Format: spec.FormatJSON, Multiline: `^\s`}, "Traceback (most recent call last):\n  File \"a.py\", line 1\n    x()\nValueError: x\n",
			jsonHead + `Traceback (most recent call last):\n  File \"a.py\", line 1\n    x()"}` + "\n" + jsonHead + "ValueError: x\"}\n"},
		{"joined to nothing", spec.Log{Format: spec.FormatText, Multiline: `^\s`}, " a\n b\n", textHead + "|  a\n" + textHead + "+  b\n"},
		{"joined to the limit", spec.Log{Format: spec.FormatText, Multiline: `.`, MaxLine: 64}, strings.Repeat("x", 40) + "\n" + strings.Repeat("y", 40) + "\nz\n",
			textHead + "| " + strings.Repeat("x", 40) + "\n" + textHead + "| " + strings.Repeat("y", 40) + "\n" + textHead + "+ z\n"},
		{"text cut", spec.Log{Format: spec.FormatText, MaxLine: 64}, strings.Repeat("a", 63) + "\u4e2d\u6587\nnext\n" + strings.Repeat("b", 64) + "\r\n",
			textHead + "| " + strings.Repeat("a", 63) + " [\u2026 6 bytes cut]\n" + textHead + "| next\n" + textHead + "| " + strings.Repeat("b", 64) + "\n"},
		{"json stripped", spec.Log{Format: spec.FormatJSON, ANSI: spec.ANSIStrip}, "\x1b[1;31mred\x1b[0m\x1b]0;title\x07 \x1b]8;;http://x\x1b\\link\x1b]8;;\x1b\\\x1b(B\x1b=.\n", jsonHead + "red link.\"}\n"},
		{"json kept", spec.Log{Format: spec.FormatJSON}, "\x1b[31mred\n", jsonHead + `\u001b[31mred"}` + "\n"},
		{"json of GBK", spec.Log{Format: spec.FormatJSON, Encoding: "gbk"}, encoded("\u4e2d\u6587 \"\u597d\"\n"), jsonHead + `` + "\u4e2d\u6587 \\\"\u597d\\\"\"}\n"},
		{"raw stripped", spec.Log{ANSI: spec.ANSIStrip}, "a\x1b[31mred\x1b\nx\x1b[3", "ared\nx"},
		{"raw cut", spec.Log{MaxLine: 64}, strings.Repeat("a", 63) + "\u4e2d\u6587\r\nnext\r\n" + strings.Repeat("b", 64) + "\r\n" + strings.Repeat("c", 70),
			strings.Repeat("a", 63) + " [\u2026 6 bytes cut]\r\nnext\r\n" + strings.Repeat("b", 64) + "\r\n" + strings.Repeat("c", 64) + " [\u2026 6 bytes cut]"},
		{"raw joined", spec.Log{Multiline: `^\s`}, "a\n b\r\n\xff", "a\n b\r\n\xff"},
		{"raw limited", spec.Log{Rate: 2}, "1\n2\n33\n444", "1\n2\n[host] dropped 2 lines (6 bytes) between 2000-01-01T00:00:00.000Z and 2000-01-01T00:00:00.000Z: more than 2 lines per second\n"},
		{"json limited", spec.Log{Rate: 1, Format: spec.FormatJSON}, "1\n2\n33\n444",
			jsonHead + "1\"}\n" + strings.Replace(jsonHead, "stdout", "host", 1) + "[host] dropped 3 lines (8 bytes) between 2000-01-01T00:00:00.000Z and 2000-01-01T00:00:00.000Z: more than 1 lines per second\"}\n"},
		{"a record limited as one", spec.Log{Rate: 3, Format: spec.FormatText, Multiline: `^\s`}, "a\nb\nc\nd\n d1\n d2\n",
			textHead + "| a\n" + textHead + "| b\n" + textHead + "| c\n" + strings.Replace(textHead, "stdout", "host", 1) +
				"| [host] dropped 3 lines (10 bytes) between 2000-01-01T00:00:00.000Z and 2000-01-01T00:00:00.000Z: more than 3 lines per second\n"},
		{"a record limited in the end", spec.Log{Rate: 2, Format: spec.FormatText, Multiline: `^\s`}, "a\n 1\n 2\n 3\n 4\n 5\n",
			textHead + "| a\n" + textHead + "+  1\n" + textHead + "+  2\n" + textHead + "+  3\n" + strings.Replace(textHead, "stdout", "host", 1) +
				"| [host] dropped 2 lines (6 bytes) between 2000-01-01T00:00:00.000Z and 2000-01-01T00:00:00.000Z: more than 2 lines per second\n"},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := shapedAs(t, c.cfg, c.in); got != c.want {
				t.Errorf("got\n%s\nwant\n%s", got, c.want)
			}
			if got := shapedAs(t, c.cfg, bytewise(c.in)...); got != c.want {
				t.Errorf("byte by byte\n%s\nwant\n%s", got, c.want)
			}
		})
	}
}

func encoded(s string) string {
	out, err := simplifiedchinese.GBK.NewEncoder().String(s)
	if err != nil {
		panic(err)
	}
	return out
}

func bytewise(s string) []string {
	var out []string
	for i := range len(s) {
		out = append(out, s[i:i+1])
	}
	return out
}

func TestSinksChangeWithTheSpec(t *testing.T) {
	path := logPath(t)
	synctest.Test(t, func(t *testing.T) {
		sinks := map[string]*recorder{"a": {}, "b": {}}
		s := newSet(Options{Sink: func(name string) Sink {
			if r := sinks[name]; r != nil {
				return r
			}
			return nil
		}}, realFiles, defaultTiming)
		defer s.Close()
		cfg := spec.Log{Path: path, MaxFiles: 1}
		p := s.Pipeline("api", cfg)
		defer p.Close()
		src := newStream()
		p.Attach(src, nil)
		for i, to := range [][]string{nil, {"a"}, {"b"}, {"b", "a"}, {"gone"}, nil} {
			synctest.Wait()
			cfg.Forward = to
			p.Apply("api", cfg)
			src.send(fmt.Sprintf("%d\r\n", i))
		}
		src.end()
		p.Drain(time.Minute)
		for name, want := range map[string]string{"a": "1 3", "b": "2 3"} {
			var got []string
			for _, record := range sinks[name].all {
				_, text, _ := strings.Cut(record, ": ")
				got = append(got, text)
			}
			if strings.Join(got, " ") != want {
				t.Errorf("%s got %q, want %s", name, got, want)
			}
		}
	})
	if got := content(t, path); got != "0\r\n1\r\n2\r\n3\r\n4\r\n5\r\n" {
		t.Errorf("file holds %q", got)
	}
}

// TestRecordsAreTheSameHoweverTheStreamIsCut tries wishes and chunks at random.
func TestRecordsAreTheSameHoweverTheStreamIsCut(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	words := []string{"word", " ", "\n", "\r\n", "\n\n", "\x1b[1m", "\x1b]0;t\x07", "\x1b", "\u4e2d\u6587", "\U0001F600", "\xff", "\"", "\tat x", "\r", strings.Repeat("long", 40)}
	for i := range 150 {
		cfg := spec.Log{
			Format: []spec.LogFormat{"", spec.FormatText, spec.FormatJSON}[r.IntN(3)],
			ANSI:   []spec.ANSI{"", spec.ANSIStrip}[r.IntN(2)], Multiline: []string{"", `^\s`, `d$`}[r.IntN(3)],
			MaxLine: []int64{0, 64, 100}[r.IntN(3)], Rate: []float64{0, 0, 3}[r.IntN(3)],
		}
		var in strings.Builder
		for range r.IntN(60) {
			in.WriteString(words[r.IntN(len(words))])
		}
		var chunks []string
		for rest := in.String(); rest != ""; {
			n := 1 + r.IntN(min(len(rest), 20))
			chunks, rest = append(chunks, rest[:n]), rest[n:]
		}
		one, many := &recorder{}, &recorder{}
		want, wantStats := shapedWith(t, cfg, one, in.String())
		got, stats := shapedWith(t, cfg, many, chunks...)
		if got != want || stats != wantStats {
			t.Fatalf("%d: %+v of %q:\n%s\n%+v\nat once:\n%s\n%+v", i, cfg, chunks, got, stats, want, wantStats)
		}
		if !slices.Equal(one.all, many.all) {
			t.Fatalf("%d: %+v of %q: sink got\n%q\nat once\n%q", i, cfg, chunks, many.all, one.all)
		}
		if plain, _ := shapedWith(t, cfg, nil, chunks...); plain != want {
			t.Fatalf("%d: %+v of %q: without a sink\n%s\nwith one\n%s", i, cfg, chunks, plain, want)
		}
	}
}

func TestJSONIsAsOthersWriteIt(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	for range 20_000 {
		text := make([]byte, r.IntN(40))
		for i := range text {
			switch text[i] = byte(r.IntN(256)); r.IntN(3) {
			case 0:
				text[i] = byte('a' + r.IntN(26))
			case 1:
				text[i] = "\"\\\n\t\r\b\f \x7f<&>"[r.IntN(12)]
			}
		}
		if r.IntN(2) == 0 {
			text = append(text, "\u4e2d\u2028\u2029\u202a\U0001F600"...)
		}
		var want strings.Builder
		e := json.NewEncoder(&want)
		e.SetEscapeHTML(false)
		if err := e.Encode(string(text)); err != nil {
			t.Fatal(err)
		}
		if got := `"` + string(appendJSON(nil, text)) + "\"\n"; got != want.String() {
			t.Fatalf("%q: got %s want %s", text, got, want.String())
		}
	}
}

func TestJoinedRecordEndsInSilence(t *testing.T) {
	path := logPath(t)
	synctest.Test(t, func(t *testing.T) {
		sink := &recorder{}
		p, src := openShaped(t, spec.Log{Path: path, Format: spec.FormatText, Multiline: `^\s`}, sink)
		defer p.Close()
		src.send("one\n a\n")
		time.Sleep(defaultTiming.silence / 2)
		src.send(" b\n unfin")
		time.Sleep(defaultTiming.silence * 3 / 4)
		synctest.Wait()
		if got := contentOrNone(path); got != "" {
			t.Errorf("too early: %q", got)
		}
		time.Sleep(defaultTiming.silence / 4)
		synctest.Wait()
		const first = "2000-01-01T00:00:00.000Z stdout api.2 | one\n2000-01-01T00:00:00.000Z stdout api.2 +  a\n2000-01-01T00:00:00.000Z stdout api.2 +  b\n"
		if got := contentOrNone(path); got != first {
			t.Errorf("in silence: %q", got)
		}
		time.Sleep(time.Hour)
		src.send("ished\ntwo\n")
		src.end()
		p.Drain(time.Minute)
		if got := content(t, path); got != first+"2000-01-01T01:00:00.750Z stdout api.2 |  unfinished\n2000-01-01T01:00:00.750Z stdout api.2 | two\n" {
			t.Errorf("in the end: %q", got)
		}
		want := []string{"00.000 api/2 api.2 stdout: one\n a\n b", "00.750 api/2 api.2 stdout:  unfinished", "00.750 api/2 api.2 stdout: two"}
		if !slices.Equal(sink.all, want) {
			t.Errorf("sink got %q", sink.all)
		}
		if got := p.Tail(9); !slices.Equal(got, []string{"one", "a", "b", "unfinished", "two"}) && !slices.Equal(got, []string{"one", " a", " b", " unfinished", "two"}) {
			t.Errorf("tail: %q", got)
		}
	})
}

func TestRateLetsLinesThroughAsTimePasses(t *testing.T) {
	for _, format := range []spec.LogFormat{spec.FormatRaw, spec.FormatText} {
		path := logPath(t)
		synctest.Test(t, func(t *testing.T) {
			sink := &recorder{}
			p, src := openShaped(t, spec.Log{Path: path, Format: format, Rate: 10}, sink)
			defer p.Close()
			n := 0
			for range 1000 { // 100 lines per second for ten seconds
				src.send(fmt.Sprintf("%d\n", n))
				n++
				time.Sleep(10 * time.Millisecond)
			}
			src.send("open")
			time.Sleep(10 * time.Second)
			src.send(" end\nlast\n")
			time.Sleep(10 * time.Second)
			synctest.Wait()
			text := contentOrNone(path)
			if format == spec.FormatText {
				text = withoutHeads(t, text)
			}
			kept, dropped, bytes, marks := int64(0), int64(0), int64(0), 0
			for line := range strings.Lines(text) {
				if l, b, ok := markOf(line); ok {
					dropped, bytes, marks = dropped+l, bytes+b, marks+1
				} else {
					kept++
				}
			}
			if kept+dropped != 1002 || kept < 110 || kept > 113 || marks < 1 || marks > 3 {
				t.Errorf("%q: %d kept, %d dropped, %d marks", format, kept, dropped, marks)
			}
			if !strings.Contains(text, "\nlast\n") {
				t.Errorf("%q: the last line lacks after a silence", format)
			}
			want := Stats{LinesLimited: dropped, BytesLimited: bytes, BytesWritten: int64(len(contentOrNone(path))), LinesWritten: kept + int64(marks)}
			if got := p.Stats(); got != want {
				t.Errorf("%q: stats %+v, want %+v", format, got, want)
			}
			if len(sink.all) != int(kept)+marks || !strings.Contains(strings.Join(sink.all, "\n"), "api.2 host: [host] dropped ") {
				t.Errorf("%q: sink got %d", format, len(sink.all))
			}
			src.end()
			p.Drain(time.Minute)
		})
	}
}

func TestRateSaysWhatIsDroppedThoughNothingPasses(t *testing.T) {
	for _, format := range []spec.LogFormat{spec.FormatRaw, spec.FormatText} {
		path := logPath(t)
		synctest.Test(t, func(t *testing.T) {
			p, src := openShaped(t, spec.Log{Path: path, Format: format, Rate: 1.0 / 3600}, nil)
			defer p.Close()
			for range 350 {
				src.send("a line\nand ha")
				src.send("lf\n")
				time.Sleep(100 * time.Millisecond)
			}
			synctest.Wait()
			text := contentOrNone(path)
			if n := strings.Count(text, ": more than 1 lines per hour\n"); n != 3 || strings.Count(text, "\n") != 4 {
				t.Errorf("%q: %d marks in 35 seconds:\n%s", format, n, text)
			}
			src.end()
			p.Drain(time.Minute)
			if text := content(t, path); strings.Count(text, "\n") != 5 {
				t.Errorf("%q: in the end\n%s", format, text)
			}
		})
	}
}

// withoutHeads takes text back to what came.
func withoutHeads(t *testing.T, text string) string {
	t.Helper()
	var out strings.Builder
	for line := range strings.Lines(text) {
		_, rest, ok := strings.Cut(line, " | ")
		if !ok {
			t.Errorf("no head: %q", line)
		}
		out.WriteString(rest)
	}
	return out.String()
}

func markOf(line string) (lines, bytes int64, ok bool) {
	m := markLine.FindStringSubmatch(strings.TrimSuffix(line, "\n"))
	if m == nil {
		return 0, 0, false
	}
	lines, _ = strconv.ParseInt(m[1], 10, 64)
	bytes, _ = strconv.ParseInt(m[2], 10, 64)
	return lines, bytes, true
}

func TestShapeChangesAtTheEndOfALine(t *testing.T) {
	path := logPath(t)
	synctest.Test(t, func(t *testing.T) {
		cfg := spec.Log{Path: path}
		p, src := openShaped(t, cfg, nil)
		defer p.Close()
		change := func(f spec.LogFormat, pattern string) {
			synctest.Wait()
			cfg.Format, cfg.Multiline = f, pattern
			p.Apply("api.2", cfg)
		}
		src.send("raw\nhalf ")
		change(spec.FormatText, "")
		src.send("more ")
		src.send("done\ntext\nhalf ")
		change(spec.FormatJSON, `^\s`)
		src.send("done\njson\n")
		change(spec.FormatJSON, `^\s`)
		src.send(" joined\n")
		change(spec.FormatJSON, `^x`)
		src.send("next\nx\n")
		change(spec.FormatRaw, "")
		src.send("raw\nhalf")
		src.end()
		p.Drain(time.Minute)
		const want = "raw\nhalf more done\n2000-01-01T00:00:00.000Z stdout api.2 | text\n2000-01-01T00:00:00.000Z stdout api.2 | half done\n" +
			`{"time":"2000-01-01T00:00:00.000Z","service":"api","instance":2,"stream":"stdout","line":"json\n joined"}` + "\n" +
			`{"time":"2000-01-01T00:00:00.000Z","service":"api","instance":2,"stream":"stdout","line":"next\nx"}` + "\nraw\nhalf"
		if got := content(t, path); got != want {
			t.Errorf("got\n%s\nwant\n%s", got, want)
		}
	})
}

func TestStreamsOfOneFileKeepTheirLinesWhole(t *testing.T) {
	path := logPath(t)
	put(t, path, "half a line of another time")
	s, _ := testSet(t, realFiles, testTiming)
	p := s.Pipeline("api", spec.Log{Path: path, Stderr: path, Format: spec.FormatJSON, MaxSize: 20_000, MaxFiles: 1000})
	defer p.Close()
	out, err := newStream(), newStream()
	p.Attach(out, err)
	const lines = 2000
	feed := func(s *stream, seed uint64) {
		defer s.end()
		r := rand.New(rand.NewPCG(seed, 1))
		for text := numbered(0, lines); len(text) > 0; {
			n := min(len(text), 1+r.IntN(300))
			s.in <- text[:n]
			text = text[n:]
		}
	}
	go feed(err, 1)
	feed(out, 2)
	p.Drain(time.Minute)
	p.Close()
	var next [2]int
	for i, name := range append(history(t, path), path) {
		text := content(t, name)
		if !strings.HasSuffix(text, "\n") || len(text) > 20_000 {
			t.Errorf("%s is %d bytes and ends with %q", name, len(text), text[max(0, len(text)-20):])
		}
		for line := range strings.Lines(text) {
			if i == 0 && line == "half a line of another time\n" {
				continue
			}
			var got struct {
				Time     time.Time
				Service  string
				Instance int
				Stream   string
				Line     string
			}
			if e := json.Unmarshal([]byte(line), &got); e != nil {
				t.Fatalf("%q: %v", line, e)
			}
			n := 0
			if got.Stream == "stderr" {
				n = 1
			}
			if want := string(numbered(next[n], 1)); got.Line+"\n" != want || got.Service != "api" || got.Instance != 1 || time.Since(got.Time).Abs() > time.Minute {
				t.Fatalf("%q, want %q", line, want)
			}
			next[n]++
		}
	}
	if next != [2]int{lines, lines} {
		t.Errorf("%d lines of the streams", next)
	}
}
