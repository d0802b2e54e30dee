package requires

import (
	"cmp"
	"regexp"
	"strconv"
	"strings"
	"sync"

	"servicehost/spec"
)

var (
	dotted = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`\d+(?:\.\d+)+`) })
	number = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`\d+`) })
)

// versionIn finds the version in what a program writes about itself: the first number with dots in its first
// lines, else the first number at all.
func versionIn(output string) string {
	var lines []string
	for line := range strings.Lines(output) {
		// What a Java machine says of its environment, before its version.
		if line = strings.TrimSpace(line); line != "" && !strings.HasPrefix(line, "Picked up ") && len(lines) < 5 {
			lines = append(lines, line)
		}
	}
	text := strings.Join(lines, "\n")
	if v := dotted().FindString(text); v != "" {
		return v
	}
	return number().FindString(text)
}

// numbers are the parts of a version; of 5.10.0-28-generic those before the first other character.
func numbers(version string) []int {
	var out []int
	for part := range strings.SplitSeq(version, ".") {
		digits := number().FindString(part)
		if !strings.HasPrefix(part, digits) || digits == "" {
			break
		}
		n, err := strconv.Atoi(digits)
		if err != nil {
			break
		}
		if out = append(out, n); digits != part {
			break
		}
	}
	return out
}

// satisfies compares as many parts as are wanted: 17.0.2 is = 17, and not > 17.
func satisfies(version string, n spec.Need) bool {
	if n.Op == "" {
		return true
	}
	have, want := numbers(version), numbers(n.Version)
	c := 0
	for i, w := range want {
		h := 0
		if i < len(have) {
			h = have[i]
		}
		if c = cmp.Compare(h, w); c != 0 {
			break
		}
	}
	switch n.Op {
	case ">=":
		return c >= 0
	case ">":
		return c > 0
	case "<=":
		return c <= 0
	case "<":
		return c < 0
	}
	return c == 0
}
