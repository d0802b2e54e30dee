package host

import (
	"strings"
	"time"

	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"

	"servicehost/host/eventlog"
	"servicehost/host/journal"
)

// eventSource is the name under which a host that is no OS service writes to the system's log.
const eventSource = "servicehost"

// eventsWait is how long the end of the host waits for the system's log.
const eventsWait = 2 * time.Second

// openEvents begins to tell the system's log what is important, where host.event_log asks for it. It is no
// reason not to run that this can't be done.
func (h *Host) openEvents(setting string) {
	if setting == "false" || setting != "true" && !h.opt.Managed {
		h.noEvents = true
		return
	}
	own := h.log
	warn := func(err error) {
		if own != nil {
			own.Warn(err.Error())
		}
	}
	source := eventSource
	if h.opt.Managed && h.opt.Service != "" {
		source = h.opt.Service
	}
	events, err := eventlog.Open(eventlog.Options{Source: source, Trouble: warn})
	if err != nil {
		warn(err)
		return
	}
	h.events = events
	if own != nil {
		h.log = own.WithOptions(zap.WrapCore(func(c zapcore.Core) zapcore.Core { return zapcore.NewTee(c, events.Core()) }))
	}
}

// endEvents tells why the host could not run, if that is so, and closes the system's log.
func (h *Host) endEvents(err error) {
	if h.events == nil && err != nil && !h.noEvents {
		h.openEvents("") // what the spec says about it may be unknown
	}
	if h.events == nil {
		return
	}
	if err != nil {
		zap.New(h.events.Core()).Error("", eventlog.Of(eventlog.Event{Kind: eventlog.HostFailed, Reason: err.Error()}))
	}
	h.events.Close(eventsWait)
	if h.log != nil {
		_ = h.log.Sync() // for what it had to say of trouble
	}
}

// told is an event of the journal as the system's log takes it.
func told(e journal.Event) eventlog.Event {
	t := eventlog.Event{Kind: string(e.Kind), Service: e.ID, Reason: e.Reason, Actor: askedBy(e)}
	if e.Kind == journal.StateChanged && e.To == "backoff" {
		t.Kind = e.To
	}
	if last := e.Details[journal.LastLines]; last != "" {
		t.Lines = strings.Split(last, "\n")
	}
	return t
}
