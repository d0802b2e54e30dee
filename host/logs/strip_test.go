package logs

import "testing"

func TestStripTakesWholeSequences(t *testing.T) {
	for in, want := range map[string]string{
		"plain":                                     "plain",
		"\x1b[31mred\x1b[0m":                        "red",
		"\x1b[38;2;1;2;3m\x1b[?25l\x1b[2Jx":         "x",
		"\x1b]0;title\x07a\x1b]2;t\x1b\\b":          "ab",
		"\x1b]8;;http://x/\x1b\\link\x1b]8;;\x1b\\": "link",
		"\x1bPq#0;2\x1b\\a\x1b_G\x1b\\b\x1b^pm\x1b\\c\x1bXsos\x1b\\d": "abcd",
		"\x1b(Ba\x1b)0b\x1b=c\x1b7d\x1bMe\x1b#8f":                     "abcdef",
		"\x1b[3\x1b[31mx":        "x",
		"\x1b\x1b[31mx":          "x",
		"\x1b]0;t\x1b[31mx":      "x", // the string ends with what follows
		"\x1b]0;t\x18x":          "x",
		"\x1b]never ended\nnext": "\nnext",
		"\x1b[31\nnext":          "\nnext",
		"\x1b\nnext":             "\nnext",
		"\x1b[3\u4e2d":           "\u4e2d",
		"\x1b\u4e2d":             "\u4e2d",
		"\x1b[1\tx":              "\tx",
		"a\x1b":                  "a",
		"a\x1b[":                 "a",
		"\u009b31mx":             "\u009b31mx", // one byte in Latin-1 only
	} {
		var s stripper
		if got := string(s.strip(nil, []byte(in))); got != want {
			t.Errorf("%q is %q, want %q", in, got, want)
		}
		var cut stripper
		var out []byte
		for i := range len(in) {
			out = cut.strip(out, []byte(in[i:i+1]))
		}
		if string(out) != want {
			t.Errorf("%q byte by byte is %q, want %q", in, out, want)
		}
	}
}
