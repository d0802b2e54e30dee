package e2e

import (
	"encoding/hex"
	"encoding/json"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"
)

// Lines of real programs become records: joined, told apart by stream, limited; and a change of format reaches
// programs that run.
func TestLinesBecomeRecords(t *testing.T) {
	r := newRig(t)
	log := func(name string) string {
		b, _ := os.ReadFile(filepath.Join(r.dir, name+".log"))
		return string(b)
	}
	trace := hex.EncodeToString([]byte("java.lang.Error: \x1b[31mno\x1b[0m\r\n\tat a.B.c(B.java:1)\n\tat a.B.main(B.java:9)\n"))
	spec := func(format string) string {
		return yaml(
			svc("trace", r.child("bytes", "trace", trace), `log: {path: trace.log, ansi: strip, multiline: '^\s', format: `+format+"}"),
			svc("both", r.child("streams", "both"), "log: {path: both.log, stderr: both.log, format: text}"),
			svc("much", r.child("bytes", "much", trace), "log: {path: much.log, rate: 1, format: json}"),
		)
	}
	r.write(spec("json"))
	r.start()
	before := r.allRunning()
	r.poll("records of both streams", func() bool {
		return strings.Contains(log("both"), " stdout both | out at ") && strings.Contains(log("both"), " stderr both | err at ")
	})
	r.poll("traces", func() bool { return strings.Count(log("trace"), "java.lang.Error") > 2 })
	r.write(spec("text"))
	r.poll("traces as text", func() bool { return strings.Count(log("trace"), " stdout trace + \tat a.B.main(B.java:9)\n") > 2 })
	if after := r.allRunning(); !maps.Equal(before, after) {
		t.Errorf("a change of format restarted something: %v, then %v", before, after)
	}
	if code := r.stop(); code != 0 {
		t.Errorf("host run: %d", code)
	}

	text := regexp.MustCompile(`^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z (stdout both \| out at \d+( done)?|stderr both \| err at \d+)\n$`)
	for line := range strings.Lines(log("both")) {
		if !text.MatchString(line) {
			t.Errorf("%q is no line of one stream", line)
		}
	}
	type record struct {
		Time                  time.Time
		Service, Stream, Line string
		Instance              int
	}
	objects, marks := 0, 0
	for line := range strings.Lines(log("trace") + log("much")) {
		if !strings.HasPrefix(line, "{") {
			continue // after the change
		}
		var x record
		if err := json.Unmarshal([]byte(line), &x); err != nil || time.Since(x.Time).Abs() > time.Hour || x.Instance != 1 {
			t.Errorf("%q: %v", line, err)
		}
		objects++
		switch {
		case x.Service == "much" && x.Stream == "host" && strings.Contains(x.Line, "more than 1 lines per second"):
			marks++
		case x.Service == "trace" && x.Line != "java.lang.Error: no\n\tat a.B.c(B.java:1)\n\tat a.B.main(B.java:9)":
			t.Errorf("a record holds %q", x.Line)
		}
	}
	if objects < 4 || marks == 0 {
		t.Errorf("%d objects, %d marks of the rate:\n%s", objects, marks, log("much"))
	}
}
