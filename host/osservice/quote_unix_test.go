//go:build unix

package osservice

import (
	"slices"
	"strings"
	"testing"
)

func TestWordsAreWhatWasJoined(t *testing.T) {
	c := awkward()
	for _, words := range [][]string{
		append([]string{"/srv/my host/host"}, c.Args...),
		{"", " ", "\"", "'", `\`, `a\`, "\t\r\n\x01\x7f", "%%", "$$", "\xff\xfe", "#", ";"},
	} {
		if got := Words(joined(words)); !slices.Equal(got, words) {
			t.Errorf("%q became %q by way of %s", words, got, joined(words))
		}
	}
}

func TestWordsFollowTheRulesOfSystemd(t *testing.T) {
	for in, want := range map[string][]string{
		"":                              nil,
		"  a\tb  ":                      {"a", "b"},
		`"a b" 'c d'`:                   {"a b", "c d"},
		`a"b c"d`:                       {"ab cd"},
		`"it's" '"'`:                    {"it's", `"`},
		`a\sb \x41\102\u5de5\U0001F525`: {"a b", "AB\u5de5\U0001F525"},
		`a\qb \x4 \`:                    {`a\qb`, `\x4`, `\`},
		`\400 \ud800`:                   {`\400`, `\ud800`},
		`"open`:                         {"open"},
		`""`:                            {""},
	} {
		if got := Words(in); !slices.Equal(got, want) {
			t.Errorf("%s is %q, want %q", in, got, want)
		}
	}
}

func FuzzWords(f *testing.F) {
	f.Add("/srv/a b/host", `--set A="x" 'y' \`)
	f.Fuzz(func(t *testing.T, a, b string) {
		if words := []string{a, b}; !slices.Equal(Words(joined(words)), words) {
			t.Errorf("%q became %q", words, Words(joined(words)))
		}
		if got := Words(a); strings.TrimSpace(a) == "" && len(strings.Trim(a, blanks)) == 0 && got != nil {
			t.Errorf("%q has words %q", a, got)
		}
	})
}
