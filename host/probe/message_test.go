package probe

import (
	"reflect"
	"strings"
	"testing"
	"time"
	"unicode/utf8"
)

func TestParseMessage(t *testing.T) {
	text := func(s string) *string { return &s }
	for _, c := range []struct {
		in   string
		want Message
	}{
		{"READY=1", Message{Ready: true}},
		{"READY=1\nSTATUS=serving\nMAINPID=4711\n", Message{Ready: true, Status: text("serving"), MainPID: 4711}},
		{"READY=0\nWATCHDOG=0", Message{}},
		{"RELOADING=1\nMONOTONIC_USEC=123", Message{Reloading: true}},
		{"STOPPING=1\r\nSTATUS=bye\r\n", Message{Stopping: true, Status: text("bye")}},
		{"WATCHDOG=1", Message{Watchdog: true}},
		{"WATCHDOG=trigger", Message{Trigger: true}},
		{"WATCHDOG_USEC=20000000", Message{WatchdogPeriod: 20 * time.Second}},
		{"EXTEND_TIMEOUT_USEC=5000000", Message{Extend: 5 * time.Second}},
		{"EXTEND_TIMEOUT_USEC=18446744073709551615", Message{Extend: 4611686018427387 * time.Microsecond}},
		{"EXTEND_TIMEOUT_USEC=-1\nERRNO=2", Message{Errno: 2}},
		{"MAINPID=-5\nERRNO=99999999999", Message{}},
		{"BARRIER=1", Message{Barrier: true}},
		{"STATUS=", Message{Status: text("")}},
		{"STATUS=a=b\x1b[31mred", Message{Status: text("a=bred")}},
		{"STATUS=" + strings.Repeat("ä", 400), Message{Status: text(strings.Repeat("ä", 256))}},
		{"READY=1\x00", Message{Ready: true}},
		{"", Message{}},
		{"ready=1\nX_OWN=1\nnonsense\n=\n\n", Message{}},
		{" READY=1", Message{}},
	} {
		if got := ParseMessage([]byte(c.in)); !reflect.DeepEqual(got, c.want) {
			t.Errorf("%q:\n got  %+v\n want %+v", c.in, got, c.want)
		}
	}
}

func FuzzParseMessage(f *testing.F) {
	for _, s := range []string{"READY=1\nSTATUS=\xff\xfe\n", "EXTEND_TIMEOUT_USEC=99999999999999999999", "WATCHDOG_USEC=9223372036854775807\x00", "STATUS=\x1b]0;x\x07"} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		m := ParseMessage(data)
		if m.Extend < 0 || m.WatchdogPeriod < 0 || m.MainPID < 0 || m.Errno < 0 {
			t.Errorf("a number below zero: %+v", m)
		}
		if time.Now().Add(m.Extend).Before(time.Now().Add(-time.Second)) {
			t.Errorf("an extension into the past: %v", m.Extend)
		}
		if m.Status != nil && (len(*m.Status) > maxStatus || !utf8.ValidString(*m.Status) || strings.ContainsAny(*m.Status, "\n\x1b\x00")) {
			t.Errorf("a status that can't be shown: %q", *m.Status)
		}
		if m.Ready && !strings.Contains(string(data), "READY=1") {
			t.Error("ready without being told")
		}
	})
}
