package human

import "testing"

func TestPlainStripsWhatMovesOrColours(t *testing.T) {
	for text, want := range map[string]string{
		"\x1b[31mcannot\x1b[0m open db  ":      "cannot open db",
		"a\tb\x00c\r\n":                        "a bc",
		"\x1b]0;title\x07after\x1b]8;;x\x1b\\": "after",
		"caf\xe9":                              "caf\uFFFD",
		"abc\u202edcba":                        "abcdcba",
		"end\x1b":                              "end",
		"\x1b[31":                              "",
		"\u670d\u52a1":                         "\u670d\u52a1",
	} {
		if got := Plain(text); got != want {
			t.Errorf("Plain(%q) is %q, want %q", text, got, want)
		}
	}
}
