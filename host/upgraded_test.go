package host

import (
	"slices"
	"testing"
	"time"

	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"

	"servicehost/host/journal"
	"servicehost/host/state"
	"servicehost/host/upgrade"
)

func TestUpgradeIsToldOnce(t *testing.T) {
	store, err := state.Open(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	defer store.Close()
	start := func(n *upgrade.Note) []string {
		core, seen := observer.New(zap.DebugLevel)
		h := &Host{log: zap.New(core), store: store, stirred: make(chan struct{}, 1), opt: Options{Upgrade: n}}
		h.tellUpgrade()
		var lines []string
		for _, e := range seen.All() {
			lines = append(lines, e.Level.String()+" "+e.Message)
		}
		return lines
	}
	now := time.Now()
	for _, c := range []struct {
		note *upgrade.Note
		want []string
	}{
		{nil, nil},
		{&upgrade.Note{At: now.Add(-2 * oldNews), Outcome: upgrade.Upgraded, Reason: "long ago, of another host"}, nil},
		{&upgrade.Note{At: now, Outcome: upgrade.Upgraded, Reason: "version 2, before 1"}, []string{"info upgraded: version 2, before 1"}},
		{&upgrade.Note{At: now, Outcome: upgrade.Upgraded, Reason: "version 2, before 1"}, nil},
		{&upgrade.Note{At: now.Add(1), Outcome: upgrade.Undone, Reason: "it dies"}, []string{"error upgrade undone: it dies"}},
		{&upgrade.Note{At: now.Add(2), Outcome: upgrade.CutShort, Reason: "a crash"}, []string{"warn upgrade cut short: a crash"}},
	} {
		if got := start(c.note); !slices.Equal(got, c.want) {
			t.Errorf("%+v: %q, want %q", c.note, got, c.want)
		}
	}
	for o, k := range upgradeKinds {
		if k == "" || kindWords[k] == "" {
			t.Errorf("outcome %s has no words", o)
		}
	}
	if got := len(upgradeKinds); got != 3 || upgradeKinds[upgrade.Undone] != journal.UpgradeUndone {
		t.Error(upgradeKinds)
	}
}
