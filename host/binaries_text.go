package host

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
)

// namedFiles is how many files are named before they are counted.
const namedFiles = 3

// changedFiles names the files that differ, came or went: api.exe, api.dll and 4 more.
func changedFiles(before, after map[string]string) string {
	if before == nil {
		return ""
	}
	var names []string
	for path, hash := range after {
		if before[path] != hash {
			names = append(names, filepath.Base(path))
		}
	}
	for path := range before {
		if _, there := after[path]; !there {
			names = append(names, filepath.Base(path))
		}
	}
	slices.Sort(names)
	if more := len(names) - namedFiles; more > 0 {
		return fmt.Sprintf("%s and %d more", strings.Join(names[:namedFiles], ", "), more)
	}
	return strings.Join(names, ", ")
}

func shortHash(s string) string {
	h := sha256.Sum256([]byte(s))
	return hex.EncodeToString(h[:4])
}

func poke(c chan<- struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}
