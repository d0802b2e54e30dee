package host

import (
	"go/ast"
	"go/parser"
	"go/token"
	"reflect"
	"slices"
	"strconv"
	"testing"

	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"

	"servicehost/host/eventlog"
	"servicehost/host/journal"
)

// untold are the kinds of the journal that are not for the system's log: what they say is said by another
// event, or of no importance but to `host why`.
var untold = []journal.Kind{
	journal.Healthy,
	journal.StateChanged, journal.Started, journal.StartFailed, journal.ProcessExited, journal.StopStep,
	journal.Rollout, journal.SpecChanged, journal.ServiceAdded, journal.ServiceRemoved, journal.Listening, journal.Gap,
}

// ofOther are the kinds of the system's log that no event of the journal stands behind.
var ofOther = []string{"host_failed", "backoff", "error", "suppressed", "lost"}

func TestEveryKindOfEventIsToldOrNot(t *testing.T) {
	var named []string
	for _, k := range eventlog.Kinds {
		named = append(named, k.Name)
	}
	var all []string
	for _, k := range journalKinds(t) {
		all = append(all, string(k))
		if slices.Contains(untold, k) == slices.Contains(named, string(k)) {
			t.Errorf("kind %q of the journal must be in eventlog.Kinds or in untold", k)
		}
	}
	for _, name := range named {
		if !slices.Contains(all, name) && !slices.Contains(ofOther, name) {
			t.Errorf("kind %q of eventlog.Kinds is none of the journal", name)
		}
	}
}

// journalKinds reads the constants of type Kind from the source of the journal.
func journalKinds(t *testing.T) []journal.Kind {
	t.Helper()
	file, err := parser.ParseFile(token.NewFileSet(), "journal/event.go", nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	var out []journal.Kind
	ast.Inspect(file, func(n ast.Node) bool {
		v, ok := n.(*ast.ValueSpec)
		if !ok || len(v.Values) != 1 {
			return true
		}
		if name, ok := v.Type.(*ast.Ident); !ok || name.Name != "Kind" {
			return true
		}
		text, err := strconv.Unquote(v.Values[0].(*ast.BasicLit).Value)
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, journal.Kind(text))
		return true
	})
	if len(out) < 20 {
		t.Fatalf("only %d kinds found", len(out))
	}
	return out
}

func TestPublishedEventsCarryWhatTheSystemLogNeeds(t *testing.T) {
	core, seen := observer.New(zap.DebugLevel)
	h := &Host{log: zap.New(core), events: new(eventlog.Log), stirred: make(chan struct{}, 1)}
	h.publish(journal.Event{Kind: journal.ProcessExited, ID: "api", Reason: "exit 3", Details: map[string]string{journal.LastLines: "one\ntwo"}})
	h.publish(journal.Event{Kind: journal.StateChanged, ID: "api", From: "running", To: "backoff", Reason: "exit 3, next try in 1s"})
	h.publish(journal.Event{Kind: journal.StateChanged, ID: "api", From: "backoff", To: "failed"})
	want := []eventlog.Event{
		{Kind: "exited", Service: "api", Reason: "exit 3", Lines: []string{"one", "two"}},
		{Kind: "backoff", Service: "api", Reason: "exit 3, next try in 1s"},
		{Kind: "state", Service: "api"},
	}
	var got []eventlog.Event
	for _, entry := range seen.All() {
		for _, f := range entry.Context {
			if e, ok := f.Interface.(eventlog.Event); ok {
				got = append(got, e)
			}
		}
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("told %+v, want %+v", got, want)
	}
}
