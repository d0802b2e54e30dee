package host

import (
	"fmt"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"

	"servicehost/host/eventlog"
	"servicehost/host/human"
	"servicehost/host/journal"
	"servicehost/host/logs"
	"servicehost/spec"
)

// openLog makes the host's own logger: readable lines on standard error in the foreground, JSON into
// a file under a service manager or where host.log.path says so.
func (h *Host) openLog(c spec.HostLog, stateDir string) error {
	h.setLevel(c.Level)
	path := c.Path
	if path == "" && h.opt.Managed {
		path = filepath.Join(stateDir, "logs", "host.log")
	}
	out := h.opt.Stderr
	if path != "" {
		w, err := newRotator(path, c.MaxSize, c.MaxFiles)
		if err != nil {
			return err
		}
		out, h.logFile = w, w
	}
	to := newSink(out, func(lines int) {
		h.log.Warn(fmt.Sprintf("the host's log lacks %s here: nobody took them for a while", human.Count(lines, "line")))
	})
	h.log = zap.New(zapcore.NewCore(encoder(c.Format, path != "", h.opt.Color), to, h.level))
	return nil
}

func encoder(format string, file, color bool) zapcore.Encoder {
	if format == "json" || format != "console" && file {
		c := zap.NewProductionEncoderConfig()
		c.EncodeTime = zapcore.RFC3339NanoTimeEncoder
		return zapcore.NewJSONEncoder(c)
	}
	c := zapcore.EncoderConfig{
		TimeKey: "t", LevelKey: "l", MessageKey: "m", ConsoleSeparator: " ",
		EncodeTime:     zapcore.TimeEncoderOfLayout("15:04:05.000"),
		EncodeDuration: zapcore.StringDurationEncoder,
		EncodeLevel:    levelMark,
	}
	if color {
		c.EncodeLevel = coloredMark
	}
	return zapcore.NewConsoleEncoder(c)
}

var marks = map[zapcore.Level][2]string{
	zapcore.DebugLevel: {"debug", "\x1b[90mdebug\x1b[0m"},
	zapcore.InfoLevel:  {"info ", "\x1b[32minfo \x1b[0m"},
	zapcore.WarnLevel:  {"warn ", "\x1b[33mwarn \x1b[0m"},
	zapcore.ErrorLevel: {"error", "\x1b[31merror\x1b[0m"},
}

func levelMark(l zapcore.Level, enc zapcore.PrimitiveArrayEncoder)   { enc.AppendString(marks[l][0]) }
func coloredMark(l zapcore.Level, enc zapcore.PrimitiveArrayEncoder) { enc.AppendString(marks[l][1]) }

func (h *Host) setLevel(name string) {
	if l, err := zapcore.ParseLevel(name); err == nil {
		h.level.SetLevel(l)
	}
}

// publish keeps an event in the journal and writes it to the host's log.
func (h *Host) publish(e journal.Event) {
	e = h.editors.blame(e)
	whole := e
	h.stir()
	if h.journal != nil {
		e = h.journal.Append(e)
	}
	if h.metrics != nil {
		h.metrics.Observe(e)
	}
	h.watchRuns(e)
	if ce := h.log.Check(levelOf(e), ""); ce != nil {
		ce.Message = sentence(e)
		var f []zap.Field
		if h.opt.Managed {
			f = fields(e)
		}
		if h.events != nil {
			f = append(f, eventlog.Of(told(whole)))
		}
		ce.Write(f...)
	}
}

func fields(e journal.Event) []zap.Field {
	f := []zap.Field{zap.String("kind", string(e.Kind)), zap.Uint64("seq", e.Seq)}
	if e.ID != "" {
		f = append(f, zap.String("service", e.ID))
	}
	if e.PID != 0 {
		f = append(f, zap.Int("pid", e.PID))
	}
	return f
}

func levelOf(e journal.Event) zapcore.Level {
	switch e.Kind {
	case journal.Failed, journal.ReloadRejected, journal.LastGood, journal.UpgradeUndone:
		return zapcore.ErrorLevel
	case journal.Warning, journal.RolledBack, journal.Killed, journal.LimitHit, journal.OutputDropped, journal.LogTrouble, journal.LogsTrimmed, journal.ForwardTrouble, journal.NotifyTrouble,
		journal.ForwardDropped, journal.Threshold, journal.ReloadPending, journal.UpgradeCut:
		return zapcore.WarnLevel
	case journal.StopStep, journal.ProcessExited, journal.Started, journal.StartFailed: // the state that follows says it
		return zapcore.DebugLevel
	case journal.StateChanged:
		switch e.To {
		case "backoff":
			return zapcore.WarnLevel
		case "starting", "failed": // running, or an event of its own, says it
			return zapcore.DebugLevel
		}
	}
	return zapcore.InfoLevel
}

// sentence is an event as a line for people.
func sentence(e journal.Event) string {
	var b strings.Builder
	if e.ID != "" {
		fmt.Fprintf(&b, "%-12s ", e.ID)
	}
	word := kindWords[e.Kind]
	switch e.Kind {
	case journal.StateChanged:
		word = e.To
	case journal.OperatorAction, journal.Warning, journal.LimitHit, journal.LogsTrimmed, journal.ForwardTrouble, journal.ForwardOK, journal.NotifyTrouble, journal.NotifyOK, journal.ForwardDropped: // the reason is a sentence of its own
		word = ""
	}
	b.WriteString(word)
	if e.PID != 0 && (e.Kind != journal.StateChanged || e.To == "running") {
		fmt.Fprintf(&b, " (pid %d)", e.PID)
	}
	if e.Reason != "" {
		if word != "" {
			b.WriteString(": ")
		}
		b.WriteString(e.Reason)
	}
	if who := askedBy(e); who != "" {
		b.WriteString(" (" + who + ")")
	}
	return b.String()
}

// askedBy is who stands behind an event: who acted, and who made the edit.
func askedBy(e journal.Event) string {
	edit := journal.EditedBy(e)
	if e.Actor != "" && edit != "" {
		return e.Actor + ": " + edit
	}
	return e.Actor + edit
}

var kindWords = map[journal.Kind]string{
	journal.HostStarted: "host started", journal.HostStopping: "host is stopping", journal.HostStopped: "host stopped",
	journal.Started: "started", journal.StartFailed: "start failed", journal.ProcessExited: "ended", journal.StopStep: "stop step",
	journal.Killed: "killed", journal.Failed: "failed", journal.Recovered: "recovered", journal.ReloadApplied: "spec applied",
	journal.ReloadRejected: "spec rejected", journal.ReloadPending: "spec held", journal.SpecChanged: "spec changed",
	journal.Healthy: "ready", journal.Unhealthy: "not ready", journal.Skipped: "run left out",
	journal.ServiceAdded: "added", journal.ServiceRemoved: "removed", journal.RolledBack: "rolled back",
	journal.OutputDropped: "output dropped", journal.LogTrouble: "log trouble", journal.LogsTrimmed: "logs trimmed", journal.LastGood: "running the last good spec",
	journal.Threshold: "threshold", journal.ThresholdCleared: "threshold cleared", journal.Dumped: "dumped", journal.Rollout: "rollout",
	journal.OrphansEnded: "orphans ended", journal.Upgraded: "upgraded", journal.UpgradeUndone: "upgrade undone", journal.UpgradeCut: "upgrade cut short", journal.Listening: "listening",
}

func (h *Host) onLogEvent(e logs.Event) {
	k := journal.LogTrouble
	switch e.Kind {
	case logs.EventDropped:
		k = journal.OutputDropped
	case logs.EventEvicted:
		k = journal.LogsTrimmed
	}
	v := journal.Event{Kind: k, ID: e.ID, Reason: e.Text}
	v.Service, v.Instance = ofID(e.ID)
	if p := e.Path; p != "" {
		v.Details = map[string]string{"path": p}
	}
	h.publish(v)
}

// ofID is the service and the number that an id stands for: it is the name alone where there is one instance.
func ofID(id string) (service string, instance int) {
	service, number, ok := strings.Cut(id, ".")
	if n, err := strconv.Atoi(number); ok && err == nil {
		return service, n
	}
	if id == "" {
		return "", 0
	}
	return id, 1
}

func age(d time.Duration) string { return human.Duration(d) }
