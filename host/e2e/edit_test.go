package e2e

import (
	"os"
	"strings"
	"testing"
	"time"

	"golang.org/x/text/encoding"
	"golang.org/x/text/encoding/simplifiedchinese"
	"golang.org/x/text/encoding/unicode"

	"servicehost/host/control"
)

// overwrite saves the spec in place, in two writes, with CRLF, as Notepad does. Nobody else may have the file
// meanwhile, where the system has such a thing.
func (r *rig) overwrite(text string, enc encoding.Encoding, hold time.Duration) {
	r.t.Helper()
	b, err := enc.NewEncoder().Bytes([]byte(strings.ReplaceAll(text, "\n", "\r\n")))
	if err != nil {
		r.t.Fatal(err)
	}
	var f *os.File
	r.poll("open the spec", func() bool { // Windows: the host may be reading it
		f, err = openAlone(r.spec)
		return err == nil
	})
	for _, half := range [][]byte{b[:len(b)/2], b[len(b)/2:]} {
		if _, err := f.Write(half); err != nil {
			r.t.Fatal(err)
		}
	}
	time.Sleep(hold)
	if err := f.Close(); err != nil {
		r.t.Fatal(err)
	}
}

// Editors of Windows write UTF-16 and byte order marks, in place.
func TestSpecIsTakenInAsEditorsWriteIt(t *testing.T) {
	r := newRig(t)
	spec := func(tag string) string {
		return "# \u8ba2\u5355\u670d\u52a1\nhost: {reload: {quiet: 1s}}\n" + yaml(svc("api", r.child("run", tag)), svc("rest", r.child("run", "rest")))
	}
	r.overwrite(spec("first"), unicode.UTF16(unicode.LittleEndian, unicode.UseBOM), 0)
	r.start()
	pids := r.allRunning()
	edit := func(tag string, enc encoding.Encoding, hold time.Duration) {
		t.Helper()
		r.overwrite(spec(tag), enc, hold)
		r.until("the edit "+tag, func(s control.Status) bool {
			api := s.Services[0]
			return s.Host.Spec.State == control.SpecApplied && api.State == "running" && api.PID != 0 && api.PID != pids["api"]
		})
		now := r.allRunning()
		if now["rest"] != pids["rest"] {
			t.Errorf("the edit %s touched another service", tag)
		}
		pids = now
	}
	edit("big-endian", unicode.UTF16(unicode.BigEndian, unicode.UseBOM), 0)
	edit("marked", unicode.UTF8BOM, 0)
	edit("plain", unicode.UTF8, 0)
	edit("locked", unicode.UTF16(unicode.LittleEndian, unicode.UseBOM), 2*time.Second) // longer than it is quiet for
	if out := r.out.String(); strings.Contains(out, "rejected") {
		t.Errorf("something was rejected:\n%s", out)
	}

	r.overwrite(spec("ansi"), simplifiedchinese.GBK, 0)
	s := r.until("the rejection", func(s control.Status) bool { return s.Host.Spec.State == control.SpecRejected })
	if p := s.Host.Spec.Problems[0]; !strings.Contains(p.Message, "GBK") || !strings.Contains(p.Hint, "UTF-8") {
		t.Errorf("a file of GBK is called %q, %q", p.Message, p.Hint)
	}
	if now := r.pidsOf(); now["api"] != pids["api"] || now["rest"] != pids["rest"] {
		t.Errorf("a rejected edit touched something: %v, then %v", pids, now)
	}
}
