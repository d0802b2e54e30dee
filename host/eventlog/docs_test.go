package eventlog

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"servicehost/host/journal"
)

var update = flag.Bool("update", false, "write docs/events.md anew")

const documentHead = `# Events

Made from the program by ` + "`go generate ./host/eventlog`" + `; edits are lost.

## The journal

Everything that happens is kept in the journal, JSON lines in ` + "`journal`" + ` in the state folder, 8 MiB at most: the oldest
events go first. ` + "`host events`" + ` shows it, with no host running too, ` + "`host events -o json`" + ` one event a line, ` + "`host why NAME`" + `
tells it as a story, and ` + "`host report`" + ` counts. A write is torn by no crash: what is half there is cut off at the next start.

Every event has ` + "`seq`, `time`, `kind`" + `, and where it is about a service ` + "`service`, `instance`, `id`, `incarnation`" + ` (of its run).
` + "`reason`" + ` is a sentence for people, and may change; programs go by the rest.

| kind | when | holds |
|---|---|---|
`

const documentMiddle = `
Who made an edit: ` + "`owner`" + ` is the account that the changed file belongs to. Where it lies in a git checkout, ` + "`commit`, `author`" + `
and ` + "`subject`" + ` are of what is checked out, read from .git's files; ` + "`uncommitted`" + ` says that the file is not as in that commit.

## Reports

` + "`host report`" + ` sums the journal up, for 7 days or ` + "`--since`" + `. The time of a service is

- **up**: it runs, and is ready where a probe says so;
- **down**: it should be up and is not: after a crash, in ` + "`backoff`, `failed` or `waiting`" + `, not ready, or being restarted for a probe, a limit
  or a threshold. Such a time is one outage;
- **planned**: it is not meant to be up (an operator's stop, disabled, ended for good), or is being started or replaced, as the start of
  the host, an operator, an edit, a dependency or ` + "`max_runtime`" + ` asked for: for up to 5 minutes, what is longer is an outage;
- **no host**: none ran. After a crash of the host the services count as down from its next start on; when it was alive last it
  notes once a minute, in the file ` + "`alive`" + ` beside the journal;
- **unknown**: the journal does not go back so far, or a service is gone that nobody said goodbye to.

Availability is up of up and down. MTTR is the mean time of an outage, MTBF the mean time up between two. Restarts are counted by
reason: ` + "`exit`, `start_failed`, `probe`, `limit`, `threshold`, `max_runtime`, `change`, `rollback`, `operator`, `dependency`, `retry`" + `. A scheduled service
has runs instead. What the journal drops is kept as days (UTC) in ` + "`days-*.jsonl`" + ` beside it, 92 days and 8 MiB at most: a job that runs
every minute fills the journal within a week. There a report begins with a whole day.

## The system's log

Under a service manager (` + "`host.event_log: auto`" + `), or everywhere with ` + "`true`" + `, the host tells the system's log what an
operator should know. The numbers never get another meaning.

**Windows**: the Application log, under the name of the service as source, which ` + "`host install`" + ` makes known and
` + "`host uninstall`" + ` removes. The message file is EventCreate.exe, which is a part of Windows: nothing of ours is held open
when host.exe is upgraded, and the Event Viewer of another machine shows the text, too. (Where it is missing, in a
nano server container, the text still is the first string of the event.) The strings behind it are the event's name
and the service, for queries:

` + "```" + `powershell
Get-WinEvent -FilterHashtable @{LogName='Application'; ProviderName='servicehost'; Id=200,201}
` + "```" + `

A ` + "`%`" + ` before a digit, a brace or another ` + "`%`" + ` is followed by a blank: the Event Viewer would replace it otherwise.

**Linux**: journald, with the fields MESSAGE_ID, PRIORITY, SYSLOG_IDENTIFIER (the service's name), HOST_EVENT,
HOST_EVENT_ID and HOST_SERVICE; where it isn't, the local syslog, facility daemon. **macOS**: syslog.

` + "```" + `sh
journalctl -u servicehost HOST_EVENT=failed
` + "```" + `

The last lines of output of a process that ended, at most 20 and 4 KiB, follow the text, without control characters.
Of one kind 10 events for each service and 100 in all are written in a minute; event 998 says how many more there
were. Nothing waits for the system's log: where it does not take an event, event 999 counts it later.
` + "`host events`" + ` has all of them, and more.

| ID | level | event | text | what to do | MESSAGE_ID |
|---|---|---|---|---|---|
`

func TestDocumentIsInStep(t *testing.T) {
	var b strings.Builder
	b.WriteString(documentHead)
	for _, m := range journal.Meanings {
		fmt.Fprintf(&b, "| %s | %s | %s |\n", m.Kind, m.Text, m.Holds)
	}
	b.WriteString(documentMiddle)
	for n := range Kinds {
		k := &Kinds[n]
		text := strings.NewReplacer("{service}", `"NAME"`, "{reason}", "…", "{by}", "", "{subject}", "").Replace(k.Text)
		fmt.Fprintf(&b, "| %d | %s | %s | %s | %s | %s |\n", k.ID, k.Severity, k.Name, text, k.Do, k.MessageID())
	}
	path := filepath.Join("..", "..", "docs", "events.md")
	if *update {
		if err := os.WriteFile(path, []byte(b.String()), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	got, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if strings.ReplaceAll(string(got), "\r\n", "\n") != b.String() {
		t.Error("docs/events.md is not in step with Kinds and the journal's Meanings; write it anew with: go generate ./host/eventlog")
	}
}

func TestKindsAreWellFormed(t *testing.T) {
	last := uint32(0)
	for _, k := range Kinds {
		if k.ID <= last || k.ID > 1000 {
			t.Errorf("ID %d of %s: they must rise and end at 1000, where the messages of EventCreate.exe end", k.ID, k.Name)
		}
		last = k.ID
		if byKind[k.Name].ID != k.ID {
			t.Errorf("%s is there twice", k.Name)
		}
		if !strings.Contains(k.Text, "{reason}") {
			t.Errorf("%s does not say the reason", k.Name)
		}
		if k.Severity > Info && k.Do == "" && k.Name != kindWarning && k.Name != kindError {
			t.Errorf("%s does not say what to do", k.Name)
		}
	}
}

// The IDs that a release had must not move: filters and alarms of operators name them.
func TestMessageIDsAreStable(t *testing.T) {
	for name, want := range map[string]string{"host_started": "1", "failed": "201", "backoff": "200", "reload_rejected": "101"} {
		if got := fmt.Sprint(byKind[name].ID); got != want {
			t.Errorf("ID of %s is %s, want %s", name, got, want)
		}
	}
	if got := byKind["failed"].MessageID(); got != wantFailedID {
		t.Errorf("MESSAGE_ID of failed is %s, want %s", got, wantFailedID)
	}
}

const wantFailedID = "995a7b8f91588afd8de25be37f991619"
