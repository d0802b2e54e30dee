package spec

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"strconv"
	"testing"

	"golang.org/x/text/encoding/charmap"
	"golang.org/x/text/encoding/ianaindex"
	"golang.org/x/text/encoding/simplifiedchinese"
)

func TestCharsetKnowsNamesPeopleWrite(t *testing.T) {
	for _, c := range []struct {
		bytes, want string
		names       []string
	}{
		{"\xd6\xd0", "\u4e2d", []string{"gbk", "GBK", "cp936", "936", "windows-936", "gb2312", "GB18030", "54936", " gbk "}},
		{"\x81\x30\x81\x30", "\u0080", []string{"gbk", "gb18030"}},
		{"\xe4\xb8\xad", "\u4e2d", []string{"utf-8", "UTF8", "65001", "cp65001"}},
		{"\x2d\x4e", "\u4e2d", []string{"utf-16le", "UTF_16LE", "utf16le", "1200"}},
		{"\x4e\x2d", "\u4e2d", []string{"utf-16be", "utf-16"}},
		{"\xa4\xa4", "\u4e2d", []string{"big5", "950", "cp950"}},
		{"\x92\x86", "\u4e2d", []string{"shift_jis", "Shift-JIS", "sjis", "932"}},
		{"\xb0\xa1", "\uac00", []string{"euc-kr", "949", "cp949", "uhc"}},
		{"\x1b\x24\x42\x43\x66", "\u4e2d", []string{"iso-2022-jp"}},
	} {
		for _, name := range c.names {
			e := Charset(name)
			if e == nil {
				t.Errorf("%q is not known", name)
				continue
			}
			if got, err := e.NewDecoder().String(c.bytes); err != nil || got != c.want {
				t.Errorf("%s: %q is %q, %v; want %q", name, c.bytes, got, err, c.want)
			}
		}
	}
	for _, name := range []string{"cp437", "437", "850", "cp852", "858", "866", "874", "1250", "cp1252", "windows-1258", "koi8-r", "latin1", "iso-8859-15"} {
		if Charset(name) == nil {
			t.Errorf("%q is not known", name)
		}
	}
	for _, name := range []string{"", "klingon", "utf-7", "utf-32", "ebcdic-de", "-1", "cp", "99999"} {
		if e := Charset(name); e != nil {
			t.Errorf("%q is %v", name, e)
		}
	}
}

func TestEncodingThatCannotBeDecodedIsRefused(t *testing.T) {
	text := func(name string) string {
		return fmt.Sprintf("services: {a: {command: ./a, log: {encoding: %s}}}\n", name)
	}
	refused(t, loadText(t, text("klingon"), on("linux")), "no encoding that can be decoded")
	for _, name := range []string{"auto", "oem", "ANSI", "gbk", "CP936", "936", "utf-16le", "windows-1252"} {
		mustLoad(t, text(name), on("linux"))
	}
}

// What the table says is what the index of x/text says, which is made from IANA's registry.
func TestCharsetMeansWhatIANAMeans(t *testing.T) {
	file, err := parser.ParseFile(token.NewFileSet(), "charsets.go", nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	names := 0
	ast.Inspect(file, func(n ast.Node) bool {
		c, ok := n.(*ast.CaseClause)
		if !ok {
			return true
		}
		for _, e := range c.List {
			name, _ := strconv.Unquote(e.(*ast.BasicLit).Value)
			want, err := ianaindex.IANA.Encoding(name)
			if err != nil {
				t.Errorf("%s is not in the index: %v", name, err)
				continue
			}
			if want == simplifiedchinese.GBK {
				want = simplifiedchinese.GB18030
			}
			if iana, _ := ianaindex.IANA.Name(want); iana == "US-ASCII" {
				want = charmap.Windows1252
			}
			if got := charsetOf(name); fmt.Sprint(got) != fmt.Sprint(want) {
				t.Errorf("%s is %v, want %v", name, got, want)
			}
			names++
		}
		return true
	})
	if names < 200 {
		t.Errorf("only %d names", names)
	}
}
