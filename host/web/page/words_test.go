package page

import (
	"fmt"
	"maps"
	"math"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"unicode"
)

// dictionary is js/words.js: key → English and Chinese.
func dictionary(t *testing.T) map[string][2]string {
	t.Helper()
	line := regexp.MustCompile(`^  "([^"]+)": \["((?:[^"\\]|\\.)*)", "((?:[^"\\]|\\.)*)"\],$`)
	out := map[string][2]string{}
	for l := range strings.Lines(content(t, "js/words.js")) {
		l = strings.TrimSuffix(l, "\n")
		if !strings.HasPrefix(l, "  ") {
			continue
		}
		m := line.FindStringSubmatch(l)
		if m == nil {
			t.Errorf("js/words.js: not a key with two texts: %s", l)
			continue
		}
		if _, twice := out[m[1]]; twice {
			t.Errorf("js/words.js has %s twice", m[1])
		}
		out[m[1]] = [2]string{m[2], m[3]}
	}
	if len(out) < 100 {
		t.Fatalf("js/words.js has %d keys", len(out))
	}
	return out
}

func TestBothLanguagesSayTheSame(t *testing.T) {
	names := regexp.MustCompile(`\{(\w+)\}`)
	same := map[string]bool{"column.cpu": true, "sort.cpu": true, "fact.cpu": true, "fact.pid": true, "unit.gap": true}
	for key, both := range dictionary(t) {
		en, zh := both[0], both[1]
		if en == "" || zh == "" && !same[key] {
			t.Errorf("%s: a text is missing: %q %q", key, en, zh)
			continue
		}
		want := map[string]bool{}
		for _, m := range names.FindAllString(en, -1) {
			want[m] = true
		}
		got := map[string]bool{}
		for _, m := range names.FindAllString(zh, -1) {
			got[m] = true
		}
		if !maps.Equal(want, got) && !(strings.Contains(en, "|") && len(got) >= len(want)) {
			t.Errorf("%s: fills in %v in English and %v in Chinese", key, slices.Sorted(maps.Keys(want)), slices.Sorted(maps.Keys(got)))
		}
		if strings.Contains(zh, "|") {
			t.Errorf("%s: Chinese has no plural: %q", key, zh)
		}
		if strings.ContainsFunc(en, func(r rune) bool { return unicode.Is(unicode.Han, r) }) {
			t.Errorf("%s: the English is not: %q", key, en)
		}
		if !same[key] && !strings.ContainsFunc(zh, func(r rune) bool { return unicode.Is(unicode.Han, r) }) {
			t.Errorf("%s: the Chinese is not: %q", key, zh)
		}
	}
}

func TestEveryTextIsThereAndNoneIsLeftOver(t *testing.T) {
	known := dictionary(t)
	used := map[string]bool{}
	var groups []string
	whole := regexp.MustCompile(`\bt\(\s*(?:[^()"` + "`" + `]*\? )?"([^"]+)"(?: : "([^"]+)")?`)
	begun := regexp.MustCompile("\\bt\\(`([^$`]+)\\$")
	grouped := regexp.MustCompile(`\bword\("([^"]+)"`)
	listed := regexp.MustCompile(`"((?:help|until|reason)\.[a-z0-9.]+)"`)
	ours(t, ".js", func(name, text string) {
		if name == "js/words.js" {
			return
		}
		for _, m := range slices.Concat(whole.FindAllStringSubmatch(text, -1), listed.FindAllStringSubmatch(text, -1)) {
			for _, key := range m[1:] {
				if key == "" {
					continue
				}
				used[key] = true
				if _, ok := known[key]; !ok {
					t.Errorf("%s says %s, which js/words.js does not have", name, key)
				}
			}
		}
		for _, m := range begun.FindAllStringSubmatch(text, -1) {
			groups = append(groups, m[1])
		}
		for _, m := range grouped.FindAllStringSubmatch(text, -1) {
			groups = append(groups, m[1]+".")
		}
	})
	if len(used) < 60 || len(groups) < 10 {
		t.Fatalf("found %d texts and %d groups only", len(used), len(groups))
	}
	for key := range known {
		if !used[key] && !slices.ContainsFunc(groups, func(g string) bool { return strings.HasPrefix(key, g) }) {
			t.Errorf("nothing says %s", key)
		}
	}
}

// A kind of event without words stands there in English, also in Chinese.
func TestEveryKindOfEventHasWords(t *testing.T) {
	source, err := os.ReadFile(filepath.Join("..", "..", "journal", "event.go"))
	if err != nil {
		t.Fatal(err)
	}
	kinds := regexp.MustCompile(`Kind = "([a-z_]+)"`).FindAllStringSubmatch(string(source), -1)
	if len(kinds) < 30 {
		t.Fatalf("found %d kinds", len(kinds))
	}
	known := dictionary(t)
	for _, m := range kinds {
		if _, ok := known["event."+m[1]]; !ok && m[1] != "state" && m[1] != "gap" {
			t.Errorf("js/words.js has no event.%s", m[1])
		}
	}
}

// Text needs a contrast of 4.5 on what it stands on, in both themes.
func TestColoursAreLegible(t *testing.T) {
	colours := map[string][2]string{}
	for _, m := range regexp.MustCompile(`--([a-z-]+): light-dark\((#[0-9a-f]{6}), (#[0-9a-f]{6})\)`).FindAllStringSubmatch(content(t, "app.css"), -1) {
		colours[m[1]] = [2]string{m[2], m[3]}
	}
	pairs := [][2]string{{"on-accent", "accent"}, {"on-danger", "danger"}, {"text", "accent-soft"}, {"text", "hover"}, {"muted", "hover"}, {"text", "idle-soft"}}
	for _, front := range []string{"text", "muted", "accent", "good", "warn", "bad", "idle"} {
		pairs = append(pairs, [2]string{front, "bg"}, [2]string{front, "panel"}, [2]string{front, "raised"})
	}
	for _, tone := range []string{"good", "warn", "bad", "idle"} {
		pairs = append(pairs, [2]string{tone, tone + "-soft"}, [2]string{"text", tone + "-soft"})
	}
	for _, p := range pairs {
		front, back := colours[p[0]], colours[p[1]]
		if front[0] == "" || back[0] == "" {
			t.Fatalf("app.css has no %s or no %s", p[0], p[1])
		}
		for theme := range 2 {
			if c := contrast(t, front[theme], back[theme]); c < 4.5 {
				t.Errorf("--%s on --%s has a contrast of %.2f in theme %d", p[0], p[1], c, theme)
			}
		}
	}
}

// contrast is that of WCAG 2: https://www.w3.org/TR/WCAG22/#dfn-contrast-ratio
func contrast(t *testing.T, a, b string) float64 {
	x, y := luminance(t, a), luminance(t, b)
	return (max(x, y) + 0.05) / (min(x, y) + 0.05)
}

func luminance(t *testing.T, colour string) float64 {
	t.Helper()
	var rgb [3]uint8
	if _, err := fmt.Sscanf(colour, "#%02x%02x%02x", &rgb[0], &rgb[1], &rgb[2]); err != nil {
		t.Fatal(err)
	}
	sum := 0.0
	for i, weight := range []float64{0.2126, 0.7152, 0.0722} {
		sum += weight * linear(float64(rgb[i])/255)
	}
	return sum
}

func linear(c float64) float64 {
	if c <= 0.04045 {
		return c / 12.92
	}
	return math.Pow((c+0.055)/1.055, 2.4)
}
