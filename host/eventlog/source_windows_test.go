package eventlog

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"go.uber.org/zap"
	"golang.org/x/sys/windows"
	"golang.org/x/sys/windows/registry"
)

// sourceName is one that no other test run uses.
func sourceName(t *testing.T) string {
	t.Helper()
	name := fmt.Sprintf("servicehost-test-%d-%d", windows.GetCurrentProcessId(), time.Now().UnixNano())
	t.Cleanup(func() { _ = registry.DeleteKey(registry.LOCAL_MACHINE, sourcesKey+`\`+name) }) // nearly always gone
	return name
}

func valuesOf(t *testing.T, name string) string {
	t.Helper()
	key, err := registry.OpenKey(registry.LOCAL_MACHINE, sourcesKey+`\`+name, registry.QUERY_VALUE)
	if errors.Is(err, windows.ERROR_FILE_NOT_FOUND) {
		return "none"
	}
	if err != nil {
		t.Fatal(err)
	}
	defer key.Close()
	file, kind, err := key.GetStringValue("EventMessageFile")
	if err != nil {
		t.Fatal(err)
	}
	types, _, err := key.GetIntegerValue("TypesSupported")
	if err != nil {
		t.Fatal(err)
	}
	return fmt.Sprintf("%s (%d), types %d", file, kind, types)
}

const installed = `%SystemRoot%\System32\EventCreate.exe (2), types 7`

func TestInstallWritesSourceAndRemoveTakesIt(t *testing.T) {
	name := sourceName(t)
	if err := Remove(name); err != nil {
		t.Errorf("removing what is not there: %v", err)
	}
	for range 2 {
		if err := Install(name); err != nil {
			t.Fatal(err)
		}
		if got := valuesOf(t, name); got != installed {
			t.Errorf("the key holds %s, want %s", got, installed)
		}
	}
	for range 2 {
		if err := Remove(name); err != nil {
			t.Fatal(err)
		}
		if got := valuesOf(t, name); got != "none" {
			t.Errorf("after the removal the key holds %s", got)
		}
	}
}

func TestForeignSourceIsLeftAlone(t *testing.T) {
	name := sourceName(t)
	key, _, err := registry.CreateKey(registry.LOCAL_MACHINE, sourcesKey+`\`+name, registry.ALL_ACCESS)
	if err != nil {
		t.Fatal(err)
	}
	defer key.Close()
	if err := errors.Join(key.SetStringValue("EventMessageFile", `C:\msgs\msg.dll`), key.SetDWordValue("TypesSupported", 1)); err != nil {
		t.Fatal(err)
	}
	if err := Install(name); err == nil || !strings.Contains(err.Error(), `belongs to another program, its messages are in C:\msgs\msg.dll`) {
		t.Errorf("error is %v", err)
	}
	if err := Remove(name); err != nil {
		t.Error(err)
	}
	if got, want := valuesOf(t, name), `C:\msgs\msg.dll (1), types 1`; got != want {
		t.Errorf("the key holds %s, want %s", got, want)
	}
}

func TestUnusableNamesAreRefused(t *testing.T) {
	for _, name := range []string{"", `a\b`, "a\x00b"} {
		if Install(name) == nil {
			t.Errorf("%q was installed", name)
		}
		if err := Remove(name); err != nil {
			t.Errorf("removing %q: %v", name, err)
		}
	}
}

func TestWindowsIsAskedForExactlyThis(t *testing.T) {
	var got []string
	s := &windowsSink{report: func(eventType uint16, id uint32, strings []string) error {
		got = append(got, fmt.Sprintf("%d %d %q", eventType, id, strings))
		return nil
	}}
	l := open(s, Options{})
	log := zap.New(l.Core())
	log.Error("", Of(Event{Kind: "failed", Service: "api", Reason: "crash loop", Lines: []string{"at %1"}}))
	log.Info("", Of(Event{Kind: "host_started", Reason: "version 1"}))
	l.Close(time.Minute)
	want := []string{
		`1 201 ["Service \"api\" has failed: crash loop\r\n\r\nLast output:\r\nat % 1" "failed" "api"]`,
		`4 1 ["The host has started: version 1" "host_started" ""]`,
	}
	if !slices.Equal(got, want) {
		t.Errorf("reported %s\nwant %s", got, want)
	}
}

// What Windows does with it can't be read back under Wine; that it takes it, can be seen.
func TestWindowsTakesEvents(t *testing.T) {
	name := sourceName(t)
	if err := Install(name); err != nil {
		t.Fatal(err)
	}
	l, err := Open(Options{Source: name, Trouble: func(err error) { t.Error(err) }})
	if err != nil {
		t.Fatal(err)
	}
	log := zap.New(l.Core())
	long := make([]string, 20)
	for n := range long {
		long[n] = strings.Repeat("\u670d", 66)
	}
	log.Error("", Of(Event{Kind: "failed", Service: "api", Reason: strings.Repeat("x", 5000), Lines: long}))
	log.Info("", Of(Event{Kind: "host_stopped", Reason: "after 3s"}))
	l.Close(10 * time.Second)
	if err := Remove(name); err != nil {
		t.Error(err)
	}
}
