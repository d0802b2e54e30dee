package spec

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// thousand writes a spec of n services with what a real one has.
func thousand(tb testing.TB, n int) string {
	tb.Helper()
	var b strings.Builder
	b.WriteString("version: 1\nhost: {event_log: false}\nvars: {ROOT: /srv/apps}\nenv: {TZ: UTC}\ndefaults: {restart: on-failure}\nservices:\n")
	for i := range n {
		fmt.Fprintf(&b, "  svc-%04d:\n    command: ${ROOT}/svc/run --id %d --config \"a b.toml\"\n    env: {LOG_LEVEL: info, ID: '%d'}\n"+
			"    port: %d\n    log: {max_size: 10MiB, max_files: 3}\n    restart: {delay: 2s, limit: 5}\n", i, i, i, 10000+i)
		if i > 10 {
			fmt.Fprintf(&b, "    depends_on: [svc-%04d]\n", i%10)
		}
	}
	path := filepath.Join(tb.TempDir(), "services.yaml")
	if err := os.WriteFile(path, []byte(b.String()), 0o644); err != nil {
		tb.Fatal(err)
	}
	return path
}

// BenchmarkLoad1000 is the whole of a reload but the diff: read, parse, merge, check, hash. The goal
// is well under 50 ms together with the diff.
func BenchmarkLoad1000(b *testing.B) { benchmarkLoad(b, 1000) }

// BenchmarkLoad10 is that of a small file.
func BenchmarkLoad10(b *testing.B) { benchmarkLoad(b, 10) }

func benchmarkLoad(b *testing.B, n int) {
	path := thousand(b, n)
	b.ReportAllocs()
	for b.Loop() {
		if r := Load(Options{Files: []string{path}, LookupEnv: noEnv}); r.Spec == nil {
			b.Fatal(r.Problems.Error())
		}
	}
}

// BenchmarkParse1000 is the part of it that the YAML library takes.
func BenchmarkParse1000(b *testing.B) {
	text, err := os.ReadFile(thousand(b, 1000))
	if err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		if _, err := parseYAML(string(text)); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkInstances1000 decodes one service for a thousand instances.
func BenchmarkInstances1000(b *testing.B) {
	for _, use := range []string{"fixed", "${HOST_INSTANCE}"} {
		b.Run(use, func(b *testing.B) {
			path := filepath.Join(b.TempDir(), "services.yaml")
			os.WriteFile(path, []byte("services:\n  a: {command: 'run "+use+"', instances: 1000}\n"), 0o644)
			for b.Loop() {
				if r := Load(Options{Files: []string{path}, LookupEnv: noEnv}); r.Spec == nil {
					b.Fatal(r.Problems.Error())
				}
			}
		})
	}
}
