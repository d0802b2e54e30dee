// Package eventlog tells the system's own log what an operator should know: the Windows Event Log, journald,
// or syslog. It is a zap core. What it writes has stable numbers, see Kinds; what it can't write never holds
// anybody up.
package eventlog

import (
	"sync"
	"time"

	"go.uber.org/zap/zapcore"
)

// Options of Open.
type Options struct {
	// Source is the name events are written under: that of the OS service.
	Source string
	// Trouble hears when events can't be written, once until they can be again. It may be called from any
	// goroutine and must not write to this log. May be nil.
	Trouble func(error)
}

// Event is one thing to tell, as a journal knows it.
type Event struct {
	// Kind is one of Kinds. Others are written where their level is warn or error, as such.
	Kind string
	// Service is the id of an instance, empty for what concerns the host.
	Service string
	Reason  string
	Actor   string
	// Lines are the last lines of output of a process that ended, untrusted.
	Lines []string
}

// Log is an open system log. All methods may be called from any goroutine.
type Log struct {
	w *writer

	mu    sync.Mutex
	lines map[string][]string // of runs that ended, until the event comes that says what follows
}

// Open opens the log of this system. That of Windows takes events of a source that Install never saw,
// but shows them with an apology before the text.
func Open(o Options) (*Log, error) {
	s, err := openSink(o.Source)
	if err != nil {
		return nil, err
	}
	return open(s, o), nil
}

func open(s sink, o Options) *Log {
	return &Log{w: newWriter(s, o.Trouble), lines: map[string][]string{}}
}

// Close writes what is still to be written, for at most the given time. What is told later is lost.
func (l *Log) Close(timeout time.Duration) { l.w.close(timeout) }

// Core is the log as a zap core. It takes entries of all levels and writes those that carry an event of
// Kinds (see Of), and warnings and errors without an event.
func (l *Log) Core() zapcore.Core { return core{log: l} }

// tell writes an event, or keeps what a later one needs.
func (l *Log) tell(level zapcore.Level, e Event, message string) {
	switch e.Kind {
	case kindExited:
		l.keepLines(e.Service, e.Lines)
		return
	case kindStarted:
		l.keepLines(e.Service, nil)
		return
	}
	k, ok := byKind[e.Kind]
	if !ok {
		if level < zapcore.WarnLevel {
			return
		}
		k = byKind[kindWarning]
		if level >= zapcore.ErrorLevel {
			k = byKind[kindError]
		}
		if e.Reason == "" {
			e.Reason = message
		}
	}
	if k.Lines && len(e.Lines) == 0 {
		e.Lines = l.takeLines(e.Service)
	}
	l.w.put(newRecord(k, e))
}

func (l *Log) keepLines(service string, lines []string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(lines) == 0 {
		delete(l.lines, service)
		return
	}
	l.lines[service] = lines
}

func (l *Log) takeLines(service string) []string {
	l.mu.Lock()
	defer l.mu.Unlock()
	lines := l.lines[service]
	delete(l.lines, service)
	return lines
}
