package cli

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"servicehost/host/secrets"
)

// pipeOf is a standard input that holds text.
func pipeOf(t *testing.T, text string) *os.File {
	t.Helper()
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { r.Close() })
	go func() {
		defer w.Close()
		w.WriteString(text)
	}()
	return r
}

func TestProtectWritesAFileThatTheSpecCanName(t *testing.T) {
	var out bytes.Buffer
	a := &app{Program: Program{Stdout: &out, Stderr: &out}}
	path := filepath.Join(t.TempDir(), "db.secret")
	err := a.protect(pipeOf(t, "hunter2\r\n"), path)
	if !secrets.CanProtect() {
		if err == nil || !strings.Contains(err.Error(), "only Windows") {
			t.Errorf("error %v", err)
		}
		if _, err := os.Stat(path); err == nil {
			t.Error("a file was written nevertheless")
		}
		return
	}
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(out.String(), "{dpapi: "+path+"}") || strings.Contains(out.String(), "hunter2") {
		t.Errorf("output %q", out.String())
	}
	got, err := secrets.Resolver{}.Resolve(t.Context(), secrets.Source{From: secrets.FromDPAPI, Name: path})
	if err != nil || got != "hunter2" {
		t.Errorf("%q, %v", got, err)
	}
	if err := a.protect(pipeOf(t, "other"), path); err == nil || !strings.Contains(err.Error(), "is there already") {
		t.Errorf("written over: %v", err)
	}
	for _, none := range []string{"", "\n", strings.Repeat("x", secrets.MaxSize+1)} {
		if err := a.protect(pipeOf(t, none), path+".none"); err == nil {
			t.Errorf("%.10q was taken for a secret", none)
		}
	}
}
