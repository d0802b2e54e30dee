package logs

import (
	"path/filepath"
	"testing"
	"time"
)

func TestRotatedNameComesBack(t *testing.T) {
	ms := time.Date(2026, 11, 21, 9, 2, 3, 123e6, time.UTC).UnixMilli()
	for base, want := range map[string]string{
		"api.log":     "api-20261121T090203.123Z.log",
		"api":         "api-20261121T090203.123Z",
		"api.1.log":   "api.1-20261121T090203.123Z.log",
		".log":        "-20261121T090203.123Z.log",
		"my-api.":     "my-api-20261121T090203.123Z.",
		"服务.log":      "服务-20261121T090203.123Z.log",
		"api.log.gz":  "api.log-20261121T090203.123Z.gz",
		"api.tmp":     "api-20261121T090203.123Z.tmp",
		"a-20.12.log": "a-20.12-20261121T090203.123Z.log",
	} {
		for _, s := range formSuffixes {
			got := rotatedPath(filepath.Join("logs", base), ms, s.form)
			if got != filepath.Join("logs", want+s.suffix) {
				t.Errorf("%s becomes %s", base, got)
			}
			back, f, ok := parseRotated(base, filepath.Base(got))
			if !ok || back != ms || f != s.form {
				t.Errorf("%s of %s is read as %d, %d, %v", got, base, back, f, ok)
			}
		}
	}
}

func TestRotatedNameIsStrict(t *testing.T) {
	for _, name := range []string{
		"", "-", "-20261121T090203.123Z", "-20261121T090203.123Z.", "api.log", "api-.log", "api-20261121T090203.123Z", "api-20261121T090203.123Z.log.gz.gz",
		"api-20261121T090203.123Z.log.tmp", "api-20261121t090203.123Z.log", "api-20261121T090203,123Z.log",
		"api-20261121T090203.123z.log", "api-20261121T250203.123Z.log", "api-20261121T090203.1234Z.log",
		"api-20260230T090203.123Z.log", "api-19691231T235959.999Z.log", "api-20261121T090203.123Z.LOG",
		"API-20261121T090203.123Z.log", "xapi-20261121T090203.123Z.log", "api--20261121T090203.123Z.log",
		"api-2026112१T090203.123Z.log", "api.log-20261121T090203.123Z", "api20261121T090203.123Z.log",
	} {
		if ms, f, ok := parseRotated("api.log", name); ok {
			t.Errorf("%q is read as %d, %d", name, ms, f)
		}
	}
}

func FuzzRotatedName(f *testing.F) {
	f.Add("api.log", "api-20261121T090203.123Z.log.gz")
	f.Add("api", "api-20261121T090203.123Z")
	f.Add("x", "-20000101T000000.000Z")
	f.Add("x", "./-20000101T000000.000Z")
	f.Add("x.gz", "x-20261121T090203.123Z.gz.gz.tmp")
	f.Fuzz(func(t *testing.T, base, name string) {
		rotatedNames(name, func(b string, ms int64, fm form) bool {
			if back := rotatedPath(b, ms, fm); back != name {
				t.Errorf("%q is read as %q at %d in form %d, which is named %q", name, b, ms, fm, back)
			}
			return true
		})
		if base != filepath.Base(base) || base == "." || base == ".." {
			return
		}
		made := rotatedPath(base, 1_795_251_723_123, formGzip)
		if ms, fm, ok := parseRotated(base, made); !ok || ms != 1_795_251_723_123 || fm != formGzip {
			t.Errorf("%q of %q is read as %d, %d, %v", made, base, ms, fm, ok)
		}
	})
}
