package forward

import (
	"slices"
	"unicode/utf8"

	"servicehost/host/logs"
)

// appendString appends s as a string of JSON.
func appendString[T string | []byte](dst []byte, s T) []byte {
	return append(logs.AppendJSON(append(dst, '"'), []byte(s)), '"')
}

// cutUTF8 cuts b to at most so many bytes, not within a character.
func cutUTF8(b []byte, most int) []byte {
	if len(b) <= most {
		return b
	}
	end := most
	for end > most-utf8.UTFMax && !utf8.RuneStart(b[end]) {
		end--
	}
	if !utf8.RuneStart(b[end]) { // it is no UTF-8 anyway
		end = most
	}
	return b[:end]
}

// sortedLabels are labels in the order of their names, so that requests are the same for the same labels.
func sortedLabels(labels map[string]string) [][2]string {
	out := make([][2]string, 0, len(labels))
	for name, value := range labels {
		out = append(out, [2]string{name, value})
	}
	slices.SortFunc(out, func(a, b [2]string) int {
		if a[0] < b[0] {
			return -1
		}
		return 1
	})
	return out
}
