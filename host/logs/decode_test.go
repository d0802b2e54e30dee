package logs

import (
	"bytes"
	"math/rand/v2"
	"strings"
	"testing"
	"unicode/utf8"

	"golang.org/x/text/encoding"
	"golang.org/x/text/encoding/charmap"
	"golang.org/x/text/encoding/japanese"
	"golang.org/x/text/encoding/korean"
	"golang.org/x/text/encoding/simplifiedchinese"
	"golang.org/x/text/encoding/traditionalchinese"
	"golang.org/x/text/transform"

	"servicehost/spec"
)

// machine is one whose programs write in the given encoding.
func machine(e encoding.Encoding) func(string) newTransformer {
	return func(string) newTransformer {
		return func() transform.Transformer { return e.NewDecoder().Transformer }
	}
}

// decodeIn runs the chunks through a new decoder.
func decodeIn(c *codec, chunks ...[]byte) string {
	var all bytes.Buffer
	var out []byte
	d := c.decoder()
	for _, b := range chunks {
		all.Write(d.decode(&out, bytes.Clone(b)))
	}
	all.Write(d.end(&out))
	return all.String()
}

// encode is text as a program would write it in that encoding.
func encode(t testing.TB, e encoding.Encoding, text string) []byte {
	t.Helper()
	b, err := e.NewEncoder().Bytes([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func cuts(b []byte, at ...int) (chunks [][]byte) {
	from := 0
	for _, to := range at {
		chunks = append(chunks, b[from:to])
		from = to
	}
	return append(chunks, b[from:])
}

func single(b []byte) (chunks [][]byte) {
	for i := range b {
		chunks = append(chunks, b[i:i+1])
	}
	return chunks
}

func TestNamedEncodingIsDecodedAcrossChunks(t *testing.T) {
	const text = "plain\r\n\u4e2d\u6587 \u5931\u8d25\n\u6ca1\u6709 half"
	for name, e := range map[string]encoding.Encoding{
		"gbk": simplifiedchinese.GBK, "gb18030": simplifiedchinese.GB18030, "hz-gb-2312": simplifiedchinese.HZGB2312,
		"utf-16le": spec.Charset("utf-16le"), "utf-16be": spec.Charset("utf-16be"), "utf-8": encoding.Nop,
	} {
		b := encode(t, e, text)
		c := newCodec(name, noPage)
		if got := decodeIn(c, b); got != text {
			t.Errorf("%s: %q", name, got)
		}
		if got := decodeIn(c, single(b)...); got != text {
			t.Errorf("%s byte by byte: %q", name, got)
		}
	}
	for name, c := range map[string]struct{ in, want string }{
		"gb18030":  {"\x95\x32\x90\x31\n", "\U00020087\n"}, // four bytes
		"gbk":      {"\x80\x95\x32\x90\x31\xff\n", "\u20ac\U00020087\ufffd\n"},
		"utf-16le": {"\xff\xfe\x3d\xd8\x00\xde\x0a\x00", "\U0001f600\n"}, // mark, surrogates
		"utf-16be": {"\xfe\xff\xd8\x3d\xde\x00\x00\x0a\x00", "\U0001f600\n\ufffd"},
		"utf-8":    {"\xef\xbb\xbfa\xef\xbb\xbf\xffb\xe4\xb8", "a\ufeff\ufffdb\ufffd"},
		"cp437":    {"\x82\x87\n", "\u00e9\u00e7\n"},
	} {
		for _, chunks := range [][][]byte{{[]byte(c.in)}, single([]byte(c.in))} {
			if got := decodeIn(newCodec(name, noPage), chunks...); got != c.want {
				t.Errorf("%s in %d chunks: %q", name, len(chunks), got)
			}
		}
	}
}

// A third of the double-byte characters at the beginning of a Chinese line are valid UTF-8 by chance.
func TestAutoDecodesLinesThatAreNoUTF8(t *testing.T) {
	gbk := newCodec("auto", machine(simplifiedchinese.GBK))
	g := func(s string) string { return string(encode(t, simplifiedchinese.GBK, s)) }
	long := strings.Repeat("\u00fc", undecided/2)
	for _, c := range []struct{ in, want string }{
		{"plain\n", "plain\n"},
		{"\u4e2d\u6587 UTF-8\n\u00fc", "\u4e2d\u6587 UTF-8\n\u00fc"},
		{g("\u5931\u8d25: \u6ca1\u6709\u6587\u4ef6\r\n"), "\u5931\u8d25: \u6ca1\u6709\u6587\u4ef6\r\n"},
		{"\u4e2d\n" + g("\u5931\u8d25\n") + "\u6587\n", "\u4e2d\n\u5931\u8d25\n\u6587\n"},
		{"50%\r" + g("\u5931\u8d25\r") + "\u6587\r", "50%\r\u5931\u8d25\r\u6587\r"},
		{g("\u5931\u8d25"), "\u5931\u8d25"},
		{"a\xe4\xb8", "a\u6d93"},                                  // ends within a sequence: it was none
		{"a\xe4\xb8\nb", "a\u6d93\nb"},                            // and so at the end of a line
		{"a\xd6\nb\n", "a\ufffd\nb\n"},                            // never beyond it
		{long + g("\u5931\n\u8d25\n"), long + "\u02a7\n\u8d25\n"}, // bounded: the line was taken for UTF-8
		{long + g("\u6ca1\u6709\n"), long + "\u00fb\u6709\n"},
		{long + "\xff\xd6\xd0\n\xd6\xd0", long + "\ufffd\u4e2d\n\u4e2d"},
		{long[4:] + g("\u5931\u8d25\n"), strings.Repeat("\u7709", undecided/2-2) + "\u5931\u8d25\n"}, // just in time
	} {
		b := []byte(c.in)
		for _, chunks := range [][][]byte{{b}, single(b), cuts(b, len(b)/2), cuts(b, 1, len(b)-1)} {
			if got := decodeIn(gbk, chunks...); got != c.want {
				t.Errorf("%.40q in %d chunks: %q, want %q", c.in, len(chunks), clip(got), clip(c.want))
			}
		}
	}
}

func clip(s string) string { return s[max(0, len(s)-40):] }

func TestAutoGivesASCIIAtOnceAndCopiesNothing(t *testing.T) {
	d := newCodec("auto", machine(simplifiedchinese.GBK)).decoder()
	var out []byte
	for _, text := range []string{"no line end yet", "\ndone \u4e2d\n", "again"} {
		b := []byte(text)
		if got := d.decode(&out, b); string(got) != text || &got[0] != &b[0] {
			t.Fatalf("%q: %q", text, got)
		}
	}
	if d.unsettled() || out != nil {
		t.Fatal("something was kept")
	}
	if got := d.decode(&out, []byte("\xd6\xd0 42")); string(got) != "\u4e2d 42" {
		t.Fatalf("what is no UTF-8 was kept: %q", got)
	}
	d = newCodec("auto", machine(simplifiedchinese.GBK)).decoder()
	line := strings.Repeat("\u4e2d", undecided)
	if got := d.decode(&out, []byte(line)); string(got) != line {
		t.Fatalf("%d of %d bytes of a long line", len(got), len(line))
	}
}

func TestAutoIsAsItIsWithoutCodePages(t *testing.T) {
	for _, name := range []string{"", "auto", "oem", "ansi"} {
		if c := newCodec(name, noPage); c != nil {
			t.Errorf("%s: %+v", name, c)
		}
	}
}

func TestSplitsMakeNoDifference(t *testing.T) {
	rnd := rand.New(rand.NewPCG(1, 2))
	alphabet := []string{"a", "\n", "\r\n", "\xd6\xd0", "\xca\xa7", "\xb0", "\u4e2d", "\u00fc", "\U0001f600", "\xff", "\x1b$B", "~{", "\x81\x30", "\x00", strings.Repeat("\u00e9", 400)}
	for range 500 {
		var b []byte
		for range rnd.IntN(20) {
			b = append(b, alphabet[rnd.IntN(len(alphabet))]...)
		}
		checkSplits(t, b, rnd.Uint64())
	}
}

var splitCodecs = func() (all []*codec) {
	for _, e := range []encoding.Encoding{simplifiedchinese.GBK, charmap.CodePage437, japanese.ShiftJIS, traditionalchinese.Big5, korean.EUCKR} {
		all = append(all, newCodec("auto", machine(e)), newCodec("oem", machine(e)))
	}
	for _, name := range []string{"gb18030", "hz-gb-2312", "utf-8", "utf-16le", "utf-16", "iso-2022-jp", "euc-jp", "us-ascii"} {
		all = append(all, newCodec(name, noPage))
	}
	return all
}()

// checkSplits decodes b whole and in chunks whose ends the seed tells.
func checkSplits(t *testing.T, b []byte, seed uint64) {
	rnd := rand.New(rand.NewPCG(seed, 0))
	var at []int
	for i := 0; i < len(b); i += 1 + rnd.IntN(1+len(b)/(1+rnd.IntN(8))) {
		at = append(at, i)
	}
	for i, c := range splitCodecs {
		whole := decodeIn(c, b)
		if got := decodeIn(c, cuts(b, at...)...); got != whole {
			t.Fatalf("codec %d: %q cut at %v is %q, whole %q", i, b, at, got, whole)
		}
		if !utf8.ValidString(whole) {
			t.Fatalf("codec %d: %q becomes %q", i, b, whole)
		}
		if got, want := strings.Count(whole, "\n"), bytes.Count(b, []byte("\n")); c.auto && got != want {
			t.Fatalf("codec %d: %q has %d lines, then %d", i, b, want, got)
		}
		if c.auto && utf8.Valid(b) && whole != string(b) {
			t.Fatalf("codec %d: valid %q becomes %q", i, b, whole)
		}
	}
}

func FuzzSplits(f *testing.F) {
	f.Add([]byte("a\xe4\xb8\xad\n\xd6\xd0\xca\xa7\r\n"), uint64(7))
	f.Fuzz(checkSplits)
}
