package logs

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"servicehost/spec"
)

func notAborted() bool { return false }

// packs makes a compressed file of text as the compressor does.
func packs(t testing.TB, text string, to form) []byte {
	t.Helper()
	dir := t.TempDir()
	from, temp := filepath.Join(dir, "from"), filepath.Join(dir, "temp")
	put(t, from, text)
	if err := compressFile(from, temp, to, notAborted); err != nil {
		t.Fatal(err)
	}
	b, err := os.ReadFile(temp)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestWholePackedFilesAreTold(t *testing.T) {
	for _, text := range []string{"", "x", "one line\n", strings.Repeat("z", 300<<10), string(numbered(0, 20_000))} {
		for f := range formPacked.each {
			whole := packs(t, text, f)
			path := rotatedPath(filepath.Join(t.TempDir(), "api.log"), 1, f)
			holds := func(b []byte) bool {
				put(t, path, string(b))
				return isPacked(path, int64(len(text)))
			}
			if !holds(whole) || isPacked(path, int64(len(text))+1) {
				t.Errorf("form %d of %d bytes is not seen to be whole", f, len(text))
			}
			for _, n := range []int{0, 1, 5, len(whole) / 2, len(whole) - 4, len(whole) - 1} {
				if text == "" && f == formGzip {
					break // zeros at each place near its end; an empty file is never rotated
				}
				if holds(whole[:n]) {
					t.Errorf("form %d of %d bytes, cut at %d of %d, is called whole", f, len(text), n, len(whole))
				}
			}
			if f == formZstd && holds(append(bytes.Clone(whole), 0)) {
				t.Errorf("%d bytes with something behind them are called whole", len(text))
			}
			put(t, path, string(whole))
			if got := content(t, path); got != text {
				t.Errorf("form %d: %d of %d bytes come back", f, len(got), len(text))
			}
		}
	}
}

func TestRotatedFilesBecomeZstd(t *testing.T) {
	path := logPath(t)
	s, events := testSet(t, realFiles, testTiming)
	p, src := openPipeline(t, s, spec.Log{Path: path, MaxSize: 1000, MaxFiles: 1000, Compress: spec.CompressZstd})
	src.in <- numbered(0, 100)
	src.end()
	p.Drain(time.Minute)
	until(t, "all rotated files compressed", func() bool {
		names := history(t, path)
		for _, name := range names {
			if !strings.HasSuffix(name, zstdSuffix) {
				return false
			}
		}
		return len(names) == 5
	})
	if got := everything(t, path); got != string(numbered(0, 100)) {
		t.Error("lines are missing")
	}
	if k := events.kinds(); k != "" {
		t.Errorf("events: %s", k)
	}
}

func BenchmarkCompress(b *testing.B) {
	const size = 50 << 20
	from := filepath.Join(b.TempDir(), "from")
	put(b, from, string(numbered(0, size/53)))
	for f := range formPacked.each {
		b.Run(formSuffixes[map[form]int{formGzip: 1, formZstd: 2}[f]].suffix, func(b *testing.B) {
			b.SetBytes(size)
			b.ReportAllocs()
			for b.Loop() {
				if err := pack(from, from+".tmp", f, notAborted); err != nil {
					b.Fatal(err)
				}
			}
			info, err := os.Stat(from + ".tmp")
			if err != nil {
				b.Fatal(err)
			}
			b.ReportMetric(size/float64(info.Size()), "ratio")
		})
	}
}
