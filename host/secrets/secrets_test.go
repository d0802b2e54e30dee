package secrets

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// write makes a file that only its owner may read.
func write(t *testing.T, content string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "secret")
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestFileIsTakenAsText(t *testing.T) {
	for content, want := range map[string]string{
		"hunter2":                        "hunter2",
		"hunter2\n":                      "hunter2",
		"hunter2\r\n":                    "hunter2",
		"two\n\n":                        "two\n",
		" blanks stay ":                  " blanks stay ",
		"\xEF\xBB\xBFmarked\r\n":         "marked",
		"\xFF\xFEp\x00w\x00\r\x00\n\x00": "pw",
		"\xFE\xFF\x00p\x00w":             "pw",
		"密码":                             "密码",
	} {
		got, err := Resolver{}.Resolve(t.Context(), Source{From: FromFile, Name: write(t, content)})
		if err != nil || got != want {
			t.Errorf("%q gives %q, %v, want %q", content, got, err, want)
		}
	}
}

func TestFileThatIsNoSecretIsRefused(t *testing.T) {
	for content, want := range map[string]string{
		"":                             "it is empty",
		"\n":                           "it is empty",
		"a\x00b":                       "zero byte",
		"\xb2\xe2":                     "not UTF-8",
		strings.Repeat("x", MaxSize+1): "more than 64 KiB",
	} {
		path := write(t, content)
		_, err := Resolver{}.Resolve(t.Context(), Source{From: FromFile, Name: path})
		if err == nil || !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), path) {
			t.Errorf("%.20q: %v, want %q and the path", content, err, want)
		}
	}
	if _, err := (Resolver{}).Resolve(t.Context(), Source{From: FromFile, Name: t.TempDir()}); err == nil {
		t.Error("a folder was taken for a secret")
	}
	_, err := Resolver{}.Resolve(t.Context(), Source{From: FromFile, Name: filepath.Join(t.TempDir(), "none")})
	if !errors.Is(err, os.ErrNotExist) {
		t.Errorf("a file that is not there: %v", err)
	}
}

func TestVariableOfTheHost(t *testing.T) {
	t.Setenv("HOST_TEST_SECRET", "hunter2")
	got, err := Resolver{}.Resolve(t.Context(), Source{From: FromEnv, Name: "HOST_TEST_SECRET"})
	if err != nil || got != "hunter2" {
		t.Errorf("%q, %v", got, err)
	}
	if _, err := (Resolver{}).Resolve(t.Context(), Source{From: FromEnv, Name: "HOST_TEST_NONE"}); err == nil || !strings.Contains(err.Error(), "HOST_TEST_NONE") {
		t.Errorf("a variable that is not set: %v", err)
	}
}

func TestProgramIsRunByTheHost(t *testing.T) {
	var ran []string
	r := Resolver{Run: func(_ context.Context, argv []string, limit int) ([]byte, error) {
		ran = argv
		if limit != MaxSize {
			t.Errorf("limit %d", limit)
		}
		return []byte("hunter2\n"), nil
	}}
	got, err := r.Resolve(t.Context(), Source{From: FromExec, Exec: []string{"vault", "get", "db"}})
	if err != nil || got != "hunter2" || len(ran) != 3 {
		t.Errorf("%q, %v, ran %q", got, err, ran)
	}
	if _, err := (Resolver{}).Resolve(t.Context(), Source{From: FromExec, Exec: []string{"vault"}}); err == nil {
		t.Error("a program was run by nobody")
	}
}

func TestProgramHasTenSeconds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := Resolver{Run: func(ctx context.Context, _ []string, _ int) ([]byte, error) {
			<-ctx.Done()
			return nil, ctx.Err()
		}}
		start := time.Now()
		_, err := r.Resolve(t.Context(), Source{From: FromExec, Exec: []string{"vault", "hunter2"}})
		if err == nil || !strings.Contains(err.Error(), "did not end within 10s") || strings.Contains(err.Error(), "hunter2") {
			t.Errorf("error %v", err)
		}
		if d := time.Since(start); d != execTimeout {
			t.Errorf("it took %v", d)
		}
	})
}

func TestUnknownPlaceIsRefused(t *testing.T) {
	if _, err := (Resolver{}).Resolve(t.Context(), Source{From: "keychain", Name: "x"}); err == nil || !strings.Contains(err.Error(), `"keychain"`) {
		t.Errorf("error %v", err)
	}
}

func TestNewFileIsNeverWrittenOver(t *testing.T) {
	path := filepath.Join(t.TempDir(), "new")
	if err := WriteNew(path, []byte("first")); err != nil {
		t.Fatal(err)
	}
	if err := WriteNew(path, []byte("second")); !errors.Is(err, os.ErrExist) {
		t.Errorf("written over: %v", err)
	}
	if b, err := os.ReadFile(path); err != nil || string(b) != "first" {
		t.Errorf("content %q, %v", b, err)
	}
}
