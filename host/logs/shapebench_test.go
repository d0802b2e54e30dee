package logs

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"runtime/debug"
	"strings"
	"testing"
	"time"

	"servicehost/spec"
)

type nowhere struct{}

func (nowhere) Take(Record) {}

// shapes are the ways of a chunk to the file that are compared with raw.
var shapes = []struct {
	name string
	cfg  spec.Log
}{
	{"raw", spec.Log{}},
	{"raw+strip", spec.Log{ANSI: spec.ANSIStrip}},
	{"raw+max_line", spec.Log{MaxLine: 64 << 10}},
	{"raw+rate", spec.Log{Rate: 1e9}},
	{"raw+forward", spec.Log{Forward: []string{"x"}}},
	{"text", spec.Log{Format: spec.FormatText}},
	{"text+multiline", spec.Log{Format: spec.FormatText, Multiline: `^\s`}},
	{"text+alternatives", spec.Log{Format: spec.FormatText, Multiline: `^(\s|Caused by:)`}},
	{"json", spec.Log{Format: spec.FormatJSON}},
	{"json+multiline", spec.Log{Format: spec.FormatJSON, Multiline: `^\s`}},
	{"json+strip", spec.Log{Format: spec.FormatJSON, ANSI: spec.ANSIStrip}},
	{"json+forward", spec.Log{Format: spec.FormatJSON, Forward: []string{"x"}}},
	{"dropped", spec.Log{Format: spec.FormatJSON, Rate: 1}},
}

// benchText is a chunk of lines as some kind of program writes them.
func benchText(line string) []byte {
	var b bytes.Buffer
	for n := 0; b.Len() < benchChunk-len(line)-20; n++ {
		fmt.Fprintf(&b, "%08d %s\n", n, line)
	}
	return b.Bytes()
}

var benchTexts = map[string][]byte{
	"50":      benchText("the quick brown fox jumps over the lazy dog"),
	"200":     benchText(strings.Repeat("the quick brown fox jumps over the lazy dog ", 5)[:190]),
	"json":    benchText(`{"level":"info","msg":"request done","path":"/api/v1/orders","status":200,"took":"12ms"}`),
	"colour":  benchText("\x1b[32mINFO\x1b[0m the quick brown fox \x1b[1mjumps\x1b[0m over the lazy dog"),
	"chinese": benchText("\u8bf7\u6c42\u5904\u7406\u5b8c\u6210 id=42 \u8017\u65f6 12ms"),
}

// BenchmarkShape takes chunks as they come from a child, and writes them to a real file.
func BenchmarkShape(b *testing.B) {
	for _, text := range []string{"50", "200", "json", "colour", "chinese"} {
		for _, c := range shapes {
			b.Run(text+"/"+c.name, func(b *testing.B) {
				in := shapedInput(b, c.cfg, benchDir(b))
				chunk := benchTexts[text]
				b.SetBytes(int64(len(chunk)))
				b.ReportAllocs()
				for n := 0; b.Loop(); n++ {
					if n%1024 == 0 {
						_ = os.Truncate(in.p.out.path, 0)
					}
					in.take(chunk)
				}
				in.end()
			})
		}
	}
}

func shapedInput(t testing.TB, cfg spec.Log, dir string) *input {
	tm := defaultTiming
	tm.first = time.Hour // what is done beside it costs, too
	s := newSet(Options{Sink: func(string) Sink { return nowhere{} }}, realFiles, tm)
	t.Cleanup(s.Close)
	cfg.Path = filepath.Join(dir, "api.log")
	p := s.Pipeline("api", cfg)
	t.Cleanup(p.Close)
	in := &input{p: p}
	in.take(numbered(0, 1))
	return in
}

func TestShapingAllocatesNothing(t *testing.T) {
	if racing {
		t.Skip("pools are no pools now")
	}
	defer debug.SetGCPercent(debug.SetGCPercent(-1)) // which empties pools
	for _, c := range shapes {
		for name, chunk := range benchTexts {
			in := shapedInput(t, c.cfg, t.TempDir())
			for i := range 10 { // chunks that end within lines, and buffers that grow
				in.take(chunk[:len(chunk)-i])
			}
			i := 0
			if n := testing.AllocsPerRun(30, func() { in.take(chunk[:len(chunk)-i%7]); i++ }); n > 0.5 {
				t.Errorf("%s of %s: %v allocations for each chunk of %d lines", c.name, name, n, bytes.Count(chunk, []byte{'\n'}))
			}
			in.end()
		}
	}
}

// BenchmarkJSON is the escaping alone.
func BenchmarkJSON(b *testing.B) {
	for name, text := range benchTexts {
		b.Run(name, func(b *testing.B) {
			dst := make([]byte, 0, 2*len(text))
			b.SetBytes(int64(len(text)))
			for b.Loop() {
				for line := range bytes.SplitSeq(text, []byte{'\n'}) {
					dst = appendJSON(dst[:0], line)
				}
			}
		})
	}
}
