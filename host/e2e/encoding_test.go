package e2e

import (
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// What a program writes arrives as UTF-8 in its log and in what host logs shows, and a change of
// encoding reaches the program that runs.
func TestOutputIsWrittenAsUTF8(t *testing.T) {
	const (
		chinese = "\u5931\u8d25: \u6ca1\u6709\u6587\u4ef6"
		gbk     = "caa7b0dc3a20c3bbd3d0cec4bcfe0a" // both words begin with what is valid UTF-8, too
	)
	r := newRig(t)
	logHas := func(name, text string) {
		t.Helper()
		r.poll(fmt.Sprintf("%q in the log of %s", text, name), func() bool {
			b, _ := os.ReadFile(filepath.Join(r.dir, name+".log"))
			return strings.Contains(string(b), text)
		})
	}
	service := func(name, bytes, encoding string) string {
		return svc(name, r.child("bytes", name, bytes), "log: {path: "+name+".log, encoding: "+encoding+"}")
	}
	spec := func(late string) string {
		return yaml(
			service("named", gbk, "gbk"),
			service("wide", "3159258d0a00", "utf-16le"),
			service("utf8", "e5a4b1e8b4a50a", "auto"),
			service("page", "8220a00a", "auto"),
			service("late", gbk, late),
		)
	}
	r.write(spec("utf-8"))
	r.start()
	logHas("named", chinese+"\n")
	logHas("wide", "\u5931\u8d25\n")
	logHas("utf8", "\u5931\u8d25\n")
	logHas("page", inSystemPage(t, "\x82 \xa0\n"))
	if out := r.must(0, "logs", "named", "-n", "5"); !strings.Contains(out, chinese) {
		t.Errorf("host logs shows %q", out)
	}
	before := r.allRunning()
	logHas("late", "\ufffd")
	r.write(spec("gbk"))
	logHas("late", chinese+"\n")
	if after := r.allRunning(); !maps.Equal(before, after) {
		t.Errorf("a change of encoding restarted something: %v, then %v", before, after)
	}
}
