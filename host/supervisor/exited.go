package supervisor

import (
	"strings"
	"time"

	"servicehost/host/journal"
	"servicehost/host/process"
)

// exitRecord is how a run ended, as the journal keeps it; how says it in words.
func exitRecord(x process.Exit, how string, uptime time.Duration) *journal.Exit {
	return &journal.Exit{
		Code: x.Code, Signal: x.Signal, Status: exitStatus(x.Code), Text: how + " after " + text(uptime), Uptime: uptime, PeakMemory: x.PeakMemory,
	}
}

// exited is the event of the end of a run. words are the last lines of its output, which tell why it was no success.
func (i *instance) exited(r *run, success bool, words []string) journal.Event {
	e := i.event(journal.ProcessExited, i.lastExit.Text)
	e.Exit, e.PID = i.lastExit, r.ident.PID
	if success {
		e.Details = map[string]string{journal.DetailSuccess: "true"}
	} else if len(words) > 0 {
		e.Details = map[string]string{journal.LastLines: joinLines(words)}
	}
	return e
}

// statusName is the name by which Windows knows an exit code: STATUS_ACCESS_VIOLATION.
func statusName(code int) string {
	name, _, _ := strings.Cut(ntstatus[uint32(code)], ":")
	if strings.Contains(name, " ") { // of a runtime, not of the system
		return ""
	}
	return name
}
