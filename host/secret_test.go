package host

import (
	"context"
	"os"
	"strings"
	"testing"

	"servicehost/host/journal"
	"servicehost/host/logs"
	"servicehost/host/process"
	"servicehost/host/supervisor"
	"servicehost/spec"
)

// printVar makes this test binary play the program that prints a secret: its value says how.
const printVar = "HOST_TEST_PRINT"

func TestMain(m *testing.M) {
	if handled, code := process.HelperMain(os.Args[1:]); handled {
		os.Exit(code)
	}
	printSecret()
	os.Exit(m.Run())
}

func printSecret() {
	switch os.Getenv(printVar) {
	case "":
		return
	case "one":
		os.Stdout.WriteString("hunter2\n")
		os.Stderr.WriteString("a word that is no secret\n")
	case "flood":
		for range 64 {
			os.Stdout.WriteString(strings.Repeat("x", 4<<10) + "\n")
		}
	case "fail":
		os.Stdout.WriteString("hunter2\n")
		os.Exit(3)
	}
	os.Exit(0)
}

// nothingKept is a store for what these tests don't look at.
type nothingKept struct{}

func (nothingKept) Put(string, any) error         { return nil }
func (nothingKept) Get(string, any) (bool, error) { return false, nil }
func (nothingKept) Delete(string) error           { return nil }
func (nothingKept) Keys(string) []string          { return nil }

func TestProgramThatPrintsASecretIsRunByTheBackend(t *testing.T) {
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	for how, want := range map[string]string{"one": "hunter2", "flood": "writes more than 64 KiB", "fail": "exit 3"} {
		backend, err := process.New(process.Options{})
		if err != nil {
			t.Fatal(err)
		}
		set := logs.NewSet(logs.Options{OnEvent: func(logs.Event) {}})
		h := &Host{sup: supervisor.New(supervisor.Options{
			Backend: backend, Logs: set, Store: nothingKept{}, Publish: func(journal.Event) {}, Env: append(os.Environ(), printVar+"="+how), Exe: exe,
		})}
		if _, err := h.sup.Apply(t.Context(), &spec.Spec{Dir: t.TempDir()}, nil, false); err != nil {
			t.Fatal(err)
		}
		got, err := h.secret(process.Secret{From: "exec", Exec: []string{exe, "argument-that-is-secret"}})
		if how == "one" {
			if err != nil || got != want {
				t.Errorf("%q, %v", got, err)
			}
		} else if err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "hunter2") || strings.Contains(err.Error(), "argument-that") {
			t.Errorf("%s: %q, %v", how, got, err)
		}
		h.sup.Shutdown(context.Background(), 0)
		if list := backend.List(); len(list) != 0 {
			t.Errorf("%s: runs are left: %v", how, list)
		}
		backend.Close()
		set.Close()
	}
}
