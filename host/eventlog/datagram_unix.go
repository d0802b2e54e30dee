//go:build unix

package eventlog

import (
	"encoding/binary"
	"fmt"
	"os"
	"strings"
	"time"
)

// The priorities of syslog.
const (
	priorityError   = 3
	priorityWarning = 4
	priorityInfo    = 6

	facilityDaemon = 3
)

func priority(s Severity) int {
	return [...]int{Info: priorityInfo, Warning: priorityWarning, Error: priorityError}[s]
}

// journaldEntry is an event in the format of https://systemd.io/JOURNAL_NATIVE_PROTOCOL/
func journaldEntry(source string, r record) []byte {
	var b []byte
	field := func(name, value string) {
		b = append(b, name...)
		if !strings.Contains(value, "\n") {
			b = append(b, '=')
			b = append(b, value...)
		} else {
			b = append(b, '\n')
			b = binary.LittleEndian.AppendUint64(b, uint64(len(value)))
			b = append(b, value...)
		}
		b = append(b, '\n')
	}
	field("MESSAGE", r.full("\n"))
	field("PRIORITY", fmt.Sprint(priority(r.kind.Severity)))
	field("MESSAGE_ID", r.kind.MessageID())
	field("SYSLOG_IDENTIFIER", source)
	field("SYSLOG_FACILITY", fmt.Sprint(facilityDaemon))
	field("HOST_EVENT", r.kind.Name)
	field("HOST_EVENT_ID", fmt.Sprint(r.kind.ID))
	if r.service != "" {
		field("HOST_SERVICE", r.service)
	}
	return b
}

// maxSyslog is what every syslog daemon takes of one line.
const maxSyslog = 1024

// syslogLines are the lines of an event as local daemons want them: without the name of the machine, each
// short, the number of the event in the first.
func syslogLines(source string, r record, now time.Time) [][]byte {
	head := fmt.Sprintf("<%d>%s %s[%d]: ", facilityDaemon<<3|priority(r.kind.Severity), now.Format(time.Stamp), source, os.Getpid())
	out := [][]byte{[]byte(cut(fmt.Sprintf("%sevent %d %s: %s", head, r.kind.ID, r.kind.Name, r.text), maxSyslog))}
	for _, line := range r.output {
		out = append(out, []byte(cut(fmt.Sprintf("%sevent %d | %s", head, r.kind.ID, line), maxSyslog)))
	}
	return out
}
