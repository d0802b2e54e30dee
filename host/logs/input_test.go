package logs

import (
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"golang.org/x/text/encoding/charmap"
	"golang.org/x/text/encoding/simplifiedchinese"

	"servicehost/spec"
)

func TestPipelineDecodesAndFollowsChanges(t *testing.T) {
	path := logPath(t)
	s, _ := testSet(t, realFiles, testTiming)
	s.system = machine(charmap.CodePage437)
	p, src := openPipeline(t, s, spec.Log{Path: path, Encoding: "gbk"})
	src.send("\xd6")
	src.send("\xd0\n")
	until(t, "GBK written", func() bool { return contentOrNone(path) == "\u4e2d\n" })
	p.Apply("api", spec.Log{Path: path})
	src.send("\x82 \xe4\n\u4e2d")
	src.send("") // taken when the bytes before are
	p.Apply("api", spec.Log{Path: path, Encoding: "utf-16le"})
	src.send("\x0a\x00\x2d")
	src.send("\x4e\x0a")
	src.end()
	p.Drain(time.Minute)
	if got := content(t, path); got != "\u4e2d\n\u00e9 \u03a3\n\u4e2d\n\u4e2d\ufffd" {
		t.Errorf("file holds %q", got)
	}
	if got := p.Tail(2); got[0] != "\u4e2d" || got[1] != "\u4e2d\ufffd" {
		t.Errorf("tail: %q", got)
	}
}

func TestStreamsOfOneFileAreDecodedApart(t *testing.T) {
	path := logPath(t)
	s, _ := testSet(t, realFiles, testTiming)
	p := s.Pipeline("api", spec.Log{Path: path, Encoding: "gbk"})
	defer p.Close()
	out, err := newStream(), newStream()
	p.Attach(out, err)
	out.send("\xd6")
	err.send("\xca\xa7\n")
	until(t, "stderr written", func() bool { return contentOrNone(path) == "\u5931\n" })
	out.send("\xd0\n")
	out.end()
	err.end()
	p.Drain(time.Minute)
	if got := content(t, path); got != "\u5931\n\u4e2d\n" {
		t.Errorf("file holds %q", got)
	}
}

func TestUndecidedLineIsWrittenWhenTheStreamIsSilent(t *testing.T) {
	path := logPath(t)
	synctest.Test(t, func(t *testing.T) {
		s := newSet(Options{}, realFiles, defaultTiming)
		s.timing.first = 100 * time.Hour
		s.system = machine(simplifiedchinese.GBK)
		p := s.Pipeline("api", spec.Log{Path: path})
		src := newStream()
		p.Attach(src, nil)
		src.send("name? \u4e2d\u6587\xe5")
		synctest.Wait()
		if got := contentOrNone(path); got != "name? " {
			t.Errorf("at once: %q", got)
		}
		time.Sleep(defaultTiming.settle)
		synctest.Wait()
		if got := contentOrNone(path); got != "name? \u4e2d\u6587" {
			t.Errorf("in silence: %q", got)
		}
		src.send("\xa4\xb1\xca\xa7\xb0\xdc\n\xca\xa7\xb0\xdc\n")
		src.end()
		p.Drain(time.Minute)
		if got := content(t, path); got != "name? \u4e2d\u6587\u5931\u02a7\u8d25\n\u5931\u8d25\n" {
			t.Errorf("file holds %q", got)
		}
		p.Close()
		s.Close()
	})
}

func TestDecodingPlainTextAllocatesNothing(t *testing.T) {
	for _, name := range []string{"auto", "utf-8", "gbk"} {
		s, _ := testSet(t, realFiles, defaultTiming)
		s.system = machine(simplifiedchinese.GBK)
		p := s.Pipeline("api", spec.Log{Path: logPath(t), Encoding: name})
		in := &input{p: p}
		chunk := numbered(0, 1000)
		in.take(chunk)
		if n := testing.AllocsPerRun(200, func() { in.take(chunk) }); n != 0 {
			t.Errorf("%s: %v allocations for each chunk", name, n)
		}
		in.end()
		p.Close()
	}
}

// BenchmarkDecode compares what decoding costs with what writing costs (BenchmarkPlainFile).
func BenchmarkDecode(b *testing.B) {
	ascii := numbered(0, benchChunk/53)
	chinese := []byte(strings.Repeat("2026-11-21 12:00:00 INFO \u8bf7\u6c42\u5904\u7406\u5b8c\u6210 id=42\n", 1000))
	for _, c := range []struct {
		name  string
		chunk []byte
	}{
		{"auto/ascii", ascii},
		{"auto/utf8", chinese},
		{"auto/gbk", encode(b, simplifiedchinese.GBK, string(chinese))},
		{"utf-8/ascii", ascii},
		{"utf-8/utf8", chinese},
		{"gbk/ascii", ascii},
		{"gbk/gbk", encode(b, simplifiedchinese.GBK, string(chinese))},
		{"utf-16le/utf16", encode(b, spec.Charset("utf-16le"), string(chinese))},
	} {
		b.Run(c.name, func(b *testing.B) {
			name, _, _ := strings.Cut(c.name, "/")
			d := newCodec(name, machine(simplifiedchinese.GBK)).decoder()
			var out []byte
			b.SetBytes(int64(len(c.chunk)))
			b.ReportAllocs()
			for b.Loop() {
				if len(d.decode(&out, c.chunk)) == 0 {
					b.Fatal(fmt.Sprint("nothing of ", c.name))
				}
			}
		})
	}
}
