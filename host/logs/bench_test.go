package logs

import (
	"os"
	"path/filepath"
	"testing"

	"servicehost/spec"
)

// benchDir is in memory where there is such a place, so that the disk isn't what is measured.
func benchDir(b *testing.B) string {
	b.Helper()
	if dir, err := os.MkdirTemp("/dev/shm", "logs"); err == nil {
		b.Cleanup(func() { os.RemoveAll(dir) })
		return dir
	}
	return b.TempDir()
}

const benchChunk = 64 << 10

// BenchmarkPlainFile is what BenchmarkPipeline is compared with: os.File and nothing else.
func BenchmarkPlainFile(b *testing.B) {
	f, err := os.OpenFile(filepath.Join(benchDir(b), "x"), os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o600)
	if err != nil {
		b.Fatal(err)
	}
	defer f.Close()
	chunk := numbered(0, benchChunk/53)
	b.SetBytes(int64(len(chunk)))
	b.ReportAllocs()
	for n := 0; b.Loop(); n++ {
		if n%1024 == 0 {
			_ = f.Truncate(0)
		}
		if _, err := f.Write(chunk); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkPipeline writes as a run does. Its file is cut like that of BenchmarkPlainFile, or rotated.
func BenchmarkPipeline(b *testing.B) {
	for name, cfg := range map[string]spec.Log{
		"raw":     {},
		"rotated": {MaxSize: 50 << 20, MaxFiles: 1},
	} {
		b.Run(name, func(b *testing.B) {
			cfg.Path = filepath.Join(benchDir(b), "api.log")
			s := NewSet(Options{})
			defer s.Close()
			p := s.Pipeline("api", cfg)
			defer p.Close()
			chunk := numbered(0, benchChunk/53)
			b.SetBytes(int64(len(chunk)))
			b.ReportAllocs()
			p.out.write(chunk)
			for n := 0; b.Loop(); n++ {
				if cfg.MaxSize == 0 && n%1024 == 0 {
					_ = os.Truncate(cfg.Path, 0)
				}
				p.out.write(chunk)
			}
		})
	}
}

// BenchmarkSmallChunks shows what a chunk costs beside its bytes.
func BenchmarkSmallChunks(b *testing.B) {
	chunk := numbered(0, 1)
	b.Run("plain", func(b *testing.B) {
		f, err := os.OpenFile(filepath.Join(benchDir(b), "x"), os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o600)
		if err != nil {
			b.Fatal(err)
		}
		defer f.Close()
		b.ReportAllocs()
		for b.Loop() {
			if _, err := f.Write(chunk); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("pipeline", func(b *testing.B) {
		s := NewSet(Options{})
		defer s.Close()
		p := s.Pipeline("api", spec.Log{Path: filepath.Join(benchDir(b), "api.log"), MaxSize: 50 << 20})
		defer p.Close()
		b.ReportAllocs()
		for b.Loop() {
			p.out.write(chunk)
		}
	})
}

func BenchmarkPipelineIdle(b *testing.B) {
	s := NewSet(Options{})
	defer s.Close()
	dir := b.TempDir()
	b.ReportAllocs()
	all := make([]*Pipeline, 0, b.N)
	for b.Loop() {
		all = append(all, s.Pipeline("api", spec.Log{Path: filepath.Join(dir, "api.log")}))
	}
	for _, p := range all {
		p.Close()
	}
}

func TestWritingAllocatesNothing(t *testing.T) {
	s, _ := testSet(t, realFiles, defaultTiming)
	p := s.Pipeline("api", spec.Log{Path: logPath(t), MaxSize: 1 << 30, MaxFiles: 3})
	defer p.Close()
	chunk := numbered(0, 1000)
	p.out.write(chunk)
	if n := testing.AllocsPerRun(200, func() { p.out.write(chunk) }); n != 0 {
		t.Errorf("%v allocations for each chunk", n)
	}
}
