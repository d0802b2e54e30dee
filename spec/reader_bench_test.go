package spec

import (
	"os"
	"strconv"
	"strings"
	"testing"
)

// BenchmarkReader loads a file again of which the text of one service was edited.
func BenchmarkReader(b *testing.B) {
	for _, n := range []int{10, 1000} {
		b.Run(strconv.Itoa(n), func(b *testing.B) {
			path := thousand(b, n)
			text, err := os.ReadFile(path)
			if err != nil {
				b.Fatal(err)
			}
			r := NewReader(Options{Files: []string{path}, LookupEnv: noEnv})
			r.Load()
			b.ReportAllocs()
			for i := 0; b.Loop(); i++ {
				b.StopTimer()
				edited := strings.Replace(string(text), "--id 5 ", "--id "+strconv.Itoa(i)+"00 ", 1)
				if err := os.WriteFile(path, []byte(edited), 0o644); err != nil {
					b.Fatal(err)
				}
				b.StartTimer()
				if r := r.Load(); r.Spec == nil {
					b.Fatal(r.Problems.Error())
				}
			}
		})
	}
}
