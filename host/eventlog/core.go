package eventlog

import (
	"slices"

	"go.uber.org/zap/zapcore"
)

// fieldKey is the key of the field that carries an event; no other core sees the field.
const fieldKey = "eventlog"

// Of is an event as a field of a log entry. Cores other than that of this package skip it.
func Of(e Event) zapcore.Field {
	return zapcore.Field{Key: fieldKey, Type: zapcore.SkipType, Interface: e}
}

// Leave is a field that keeps an entry out of the event log: an event before it said it all.
func Leave() zapcore.Field {
	return zapcore.Field{Key: fieldKey, Type: zapcore.SkipType, Interface: leave{}}
}

type leave struct{}

type core struct {
	log    *Log
	fields []zapcore.Field
}

func (c core) Enabled(zapcore.Level) bool { return true }

func (c core) With(fields []zapcore.Field) zapcore.Core {
	c.fields = append(slices.Clip(c.fields), fields...)
	return c
}

func (c core) Check(e zapcore.Entry, to *zapcore.CheckedEntry) *zapcore.CheckedEntry {
	return to.AddCore(e, c)
}

func (c core) Write(entry zapcore.Entry, fields []zapcore.Field) error {
	var event Event
	for _, list := range [][]zapcore.Field{c.fields, fields} {
		for _, f := range list {
			if f.Key != fieldKey {
				continue
			}
			switch v := f.Interface.(type) {
			case Event:
				event = v
			case leave:
				return nil
			}
		}
	}
	c.log.tell(entry.Level, event, entry.Message)
	return nil
}

func (c core) Sync() error { return nil }
