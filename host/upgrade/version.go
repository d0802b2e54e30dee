package upgrade

import (
	"cmp"
	"slices"
	"strconv"
	"strings"
)

// compareVersions orders two versions as https://semver.org does, with or without "v" before them; false
// where one of them is none, as that of a build without a release.
func compareVersions(a, b string) (int, bool) {
	x, okX := parseVersion(a)
	y, okY := parseVersion(b)
	if !okX || !okY {
		return 0, false
	}
	if c := slices.Compare(x.numbers[:], y.numbers[:]); c != 0 {
		return c, true
	}
	return comparePre(x.pre, y.pre), true
}

type version struct {
	numbers [3]int
	pre     []string
}

func parseVersion(s string) (v version, ok bool) {
	s, _, _ = strings.Cut(strings.TrimPrefix(s, "v"), "+")
	s, pre, hasPre := strings.Cut(s, "-")
	parts := strings.Split(s, ".")
	if len(parts) > 3 || hasPre && pre == "" {
		return v, false
	}
	for i, p := range parts {
		n, err := strconv.ParseUint(p, 10, 31)
		if err != nil {
			return v, false
		}
		v.numbers[i] = int(n)
	}
	if hasPre {
		v.pre = strings.Split(pre, ".")
	}
	return v, true
}

// comparePre puts a release behind its candidates.
func comparePre(a, b []string) int {
	if len(a) == 0 || len(b) == 0 {
		return cmp.Compare(len(b), len(a))
	}
	return slices.CompareFunc(a, b, func(x, y string) int {
		n, errX := strconv.ParseUint(x, 10, 63)
		m, errY := strconv.ParseUint(y, 10, 63)
		switch {
		case errX == nil && errY == nil:
			return cmp.Compare(n, m)
		case errX == nil:
			return -1
		case errY == nil:
			return 1
		}
		return cmp.Compare(x, y)
	})
}
