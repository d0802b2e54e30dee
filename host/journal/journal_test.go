package journal

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"servicehost/host/jsonl"
)

func open(t *testing.T, dir string, o Options) *Journal {
	t.Helper()
	j, err := Open(dir, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { j.Close() })
	return j
}

func read(t *testing.T, dir string, q Query) []Event {
	t.Helper()
	var got []Event
	if err := Read(dir, q, func(e Event) error { got = append(got, e); return nil }); err != nil {
		t.Fatal(err)
	}
	return got
}

func flush(t *testing.T, j *Journal) {
	t.Helper()
	if err := j.Flush(); err != nil {
		t.Fatal(err)
	}
}

func seqs(events []Event) string {
	var b strings.Builder
	for _, e := range events {
		fmt.Fprintf(&b, "%d ", e.Seq)
	}
	return strings.TrimSpace(b.String())
}

func TestAppendedEventsComeBackAsTheyWere(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "a", "journal")
	j := open(t, dir, Options{})
	want := j.Append(Event{
		Kind: ProcessExited, Service: "api", Instance: 2, ID: "api.2", Incarnation: 7, Reason: "exit 3 <&> \"quoted\" 中文\n",
		Actor: `ops\li.wei`, PID: 9, Exit: &Exit{Code: 3, Text: "exit 3", Uptime: time.Second}, Details: map[string]string{"a": "b"},
	})
	if want.Seq != 1 || want.Time.IsZero() {
		t.Errorf("recorded as %+v", want)
	}
	flush(t, j)
	got := read(t, dir, Query{})
	if len(got) != 1 {
		t.Fatalf("%d events", len(got))
	}
	a, _ := json.Marshal(want)
	b, _ := json.Marshal(got[0])
	if !bytes.Equal(a, b) {
		t.Errorf("got\n%s\nwant\n%s", b, a)
	}
}

func TestOpenGoesOnBehindTheLastEvent(t *testing.T) {
	dir := t.TempDir()
	for i := range 3 {
		j := open(t, dir, Options{})
		if n := len(j.Recent(100)); n != 2*i {
			t.Errorf("%d recent events after %d", n, 2*i)
		}
		j.Append(Event{Kind: HostStarted})
		j.Append(Event{Kind: HostStopped})
		if err := j.Close(); err != nil {
			t.Fatal(err)
		}
	}
	if got := seqs(read(t, dir, Query{})); got != "1 2 3 4 5 6" {
		t.Errorf("numbers %s", got)
	}
}

func TestCloseTwiceAndAppendAfterAreHarmless(t *testing.T) {
	dir := t.TempDir()
	j := open(t, dir, Options{})
	if err := errors.Join(j.Close(), j.Close()); err != nil {
		t.Error(err)
	}
	j.Append(Event{Kind: Warning})
	if n := len(read(t, dir, Query{})); n != 0 {
		t.Errorf("%d events behind the end", n)
	}
	if _, ok := <-j.Subscribe(t.Context(), 1); ok {
		t.Error("a closed journal has something to say")
	}
}

// TestTornTailIsCutWhereverItTears truncates the file at every byte: what was whole stays, new events
// follow cleanly, and no number is given twice.
func TestTornTailIsCutWhereverItTears(t *testing.T) {
	src := t.TempDir()
	j := open(t, src, Options{})
	for i := range 5 {
		j.Append(Event{Kind: Warning, Reason: fmt.Sprint("number ", i)})
	}
	if err := j.Close(); err != nil {
		t.Fatal(err)
	}
	data, err := os.ReadFile(filepath.Join(src, segmentName(1)))
	if err != nil {
		t.Fatal(err)
	}
	for cut := range len(data) + 1 {
		dir := t.TempDir()
		if err := os.WriteFile(filepath.Join(dir, segmentName(1)), data[:cut], 0o600); err != nil {
			t.Fatal(err)
		}
		whole := bytes.Count(data[:cut], []byte("\n"))
		if n := len(read(t, dir, Query{})); n != whole {
			t.Fatalf("cut at %d: %d events read, want %d", cut, n, whole)
		}
		j, err := Open(dir, Options{})
		if err != nil {
			t.Fatalf("cut at %d: %v", cut, err)
		}
		if e := j.Append(Event{Kind: Warning, Reason: "new"}); e.Seq != uint64(whole+1) {
			t.Fatalf("cut at %d: number %d", cut, e.Seq)
		}
		if err := j.Close(); err != nil {
			t.Fatal(err)
		}
		if got := read(t, dir, Query{}); len(got) != whole+1 || got[whole].Reason != "new" {
			t.Fatalf("cut at %d: %s", cut, seqs(got))
		}
	}
}

func TestSegmentsAreBoundedAndStrangersAreLeftAlone(t *testing.T) {
	dir := t.TempDir()
	for _, name := range []string{"events-1.jsonl", "events-00000001.jsonl.bak", "notes.txt", "events-0000000x.jsonl"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte("mine"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	j := open(t, dir, Options{SegmentSize: 1000, Segments: 3})
	for i := range 100 {
		j.Append(Event{Kind: Warning, Reason: fmt.Sprint("number ", i)})
		flush(t, j)
	}
	ours, _ := filepath.Glob(filepath.Join(dir, "events-????????.jsonl"))
	if len(ours) != 3+1 { // the one with an x is not ours
		t.Errorf("files %q", ours)
	}
	for _, f := range ours {
		if fi, err := os.Stat(f); err != nil || fi.Size() > 1000 {
			t.Errorf("%s: %v bytes, %v", f, fi.Size(), err)
		}
	}
	if all, _ := os.ReadDir(dir); len(all) != 3+1+4 { // the days of what was removed
		t.Errorf("%d files in the folder", len(all))
	}
	got := read(t, dir, Query{})
	if len(got) < 10 || got[len(got)-1].Seq != 100 || got[0].Seq != 100-uint64(len(got))+1 {
		t.Errorf("read back %s", seqs(got))
	}
	j.Close()
	if e := open(t, dir, Options{}).Append(Event{}); e.Seq != 101 {
		t.Errorf("number %d after the restart", e.Seq)
	}
}

func TestReadSelects(t *testing.T) {
	dir := t.TempDir()
	j := open(t, dir, Options{SegmentSize: 300, Segments: 100})
	at := func(min int, e Event) {
		e.Time = noon.Add(time.Duration(min) * time.Minute)
		j.Append(e)
		flush(t, j)
	}
	at(1, Event{Kind: HostStarted})
	at(2, Event{Kind: Started, Service: "api", ID: "api.1"})
	at(3, Event{Kind: Started, Service: "api", ID: "api.2"})
	at(4, Event{Kind: Started, Service: "web", ID: "web"})
	at(5, Event{Kind: ProcessExited, Service: "api", ID: "api.1"})
	for _, c := range []struct {
		q    Query
		want string
	}{
		{Query{}, "1 2 3 4 5"},
		{Query{Services: []string{"api"}}, "2 3 5"},
		{Query{Services: []string{"api.1", "web"}}, "2 4 5"},
		{Query{Services: []string{""}}, ""},
		{Query{Since: noon.Add(4 * time.Minute)}, "4 5"},
		{Query{Last: 2}, "4 5"},
		{Query{Last: -1}, ""},
		{Query{Until: noon.Add(2 * time.Minute)}, "1 2"},
		{Query{Services: []string{"API.1"}}, "2 5"},
		{Query{Last: 100}, "1 2 3 4 5"},
		{Query{Last: 2, Services: []string{"api"}}, "3 5"},
		{Query{Kinds: []Kind{Started}, Last: 1}, "4"},
		{Query{After: 3}, "4 5"},
	} {
		if got := seqs(read(t, dir, c.q)); got != c.want {
			t.Errorf("%+v: %q, want %q", c.q, got, c.want)
		}
	}
	stop := errors.New("enough")
	if err := Read(dir, Query{}, func(Event) error { return stop }); !errors.Is(err, stop) {
		t.Errorf("the receiver's error became %v", err)
	}
	if n := len(read(t, filepath.Join(dir, "nowhere"), Query{})); n != 0 {
		t.Errorf("%d events in no folder", n)
	}
}

func TestReadWhileWritingAndRotatingSeesWholeEventsInOrder(t *testing.T) {
	dir := t.TempDir()
	j := open(t, dir, Options{SegmentSize: 4000, Segments: 3})
	done := make(chan struct{})
	go func() {
		defer close(done)
		for i := range 3000 {
			j.Append(Event{Kind: Warning, Reason: fmt.Sprint("number ", i)})
			if i%20 == 0 {
				_ = j.Flush()
			}
		}
	}()
	for running := true; running; {
		select {
		case <-done:
			running = false
		default:
		}
		last := uint64(0)
		for _, e := range read(t, dir, Query{}) {
			if e.Seq <= last || e.Kind != Warning {
				t.Fatalf("%d after %d", e.Seq, last)
			}
			last = e.Seq
		}
	}
}

func TestSlowSubscriberGetsOneGapAndBlocksNobody(t *testing.T) {
	j := open(t, t.TempDir(), Options{})
	ch := j.Subscribe(t.Context(), 2)
	for range 5 {
		j.Append(Event{Kind: Warning})
	}
	for i, want := range []Event{{Seq: 1, Kind: Warning}, {Seq: 2, Kind: Warning}, {Seq: 3, Kind: Gap}} {
		if e := <-ch; e.Seq != want.Seq || e.Kind != want.Kind {
			t.Errorf("element %d: %d %s, want %d %s", i, e.Seq, e.Kind, want.Seq, want.Kind)
		}
	}
	j.Append(Event{Kind: Warning})
	if e := <-ch; e.Seq != 6 || e.Kind != Warning {
		t.Errorf("behind the gap: %d %s", e.Seq, e.Kind)
	}
}

func TestSubscriptionEndsWithItsContext(t *testing.T) {
	j := open(t, t.TempDir(), Options{})
	ctx, cancel := context.WithCancel(t.Context())
	ch := j.Subscribe(ctx, 1)
	cancel()
	if _, ok := <-ch; ok {
		t.Error("something came")
	}
	j.Append(Event{Kind: Warning})
}

func TestFollowHasNoSeamAndNoHole(t *testing.T) {
	j := open(t, t.TempDir(), Options{})
	const before, after = 100, 2000
	for range before {
		j.Append(Event{Kind: Warning})
	}
	var wg sync.WaitGroup
	wg.Go(func() {
		for range after {
			j.Append(Event{Kind: Warning})
		}
	})
	want := uint64(before - 50 + 1)
	stop := errors.New("enough")
	err := j.Follow(t.Context(), Query{After: before - 50}, func(e Event) error {
		if e.Seq != want {
			return fmt.Errorf("%d, want %d", e.Seq, want)
		}
		if want++; e.Seq == before+after {
			return stop
		}
		return nil
	})
	if !errors.Is(err, stop) {
		t.Error(err)
	}
	wg.Wait()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := j.Follow(ctx, Query{}, func(Event) error { return nil }); err != nil {
		t.Errorf("an ended follow says %v", err)
	}
}

// TestUnwritableDiskHoldsNobodyUp closes the file under the writer: appends go on, what fits is kept
// and written once the file works again, the rest is counted in an event.
func TestUnwritableDiskHoldsNobodyUp(t *testing.T) {
	dir := t.TempDir()
	j := open(t, dir, Options{})
	flush(t, j)
	j.w.f.Close()
	reason := strings.Repeat("x", 1000)
	const n = 2 * maxPending / 1000
	for range n {
		j.Append(Event{Kind: Warning, Reason: reason})
	}
	if j.Flush() == nil || j.Err() == nil {
		t.Fatal("no error from a closed file")
	}
	f, err := j.w.root.OpenFile(segmentName(1), os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.Close() })
	j.w.f = f
	flush(t, j)
	flush(t, j) // the event that counts the lost ones
	if j.Err() != nil {
		t.Errorf("still %v", j.Err())
	}
	got := read(t, dir, Query{})
	last := got[len(got)-1]
	if want := fmt.Sprintf("%d events are missing", n-(len(got)-1)); !strings.HasPrefix(last.Reason, want) || len(got) < n/3 {
		t.Errorf("%d of %d events, then %q, want %q", len(got)-1, n, last.Reason, want)
	}
}

func TestLongTextsAreCutBetweenCharacters(t *testing.T) {
	j := open(t, t.TempDir(), Options{})
	long := strings.Repeat("语", 10000)
	e := j.Append(Event{Reason: long, Actor: long, Exit: &Exit{Text: long}, Details: map[string]string{"k": long}})
	for _, s := range []string{e.Reason, e.Actor, e.Exit.Text, e.Details["k"]} {
		if len(s) > maxReason || !strings.HasSuffix(s, "语…") || strings.Contains(s, "\ufffd") {
			t.Errorf("cut to %d bytes, ends in %q", len(s), s[len(s)-6:])
		}
	}
}

func FuzzRead(f *testing.F) {
	e, _ := json.Marshal(Event{Seq: 1, Time: noon, Kind: Warning, Exit: &Exit{}})
	f.Add(jsonl.Append(nil, e), []byte("tail"))
	f.Add(jsonl.Append(nil, []byte(`{"seq":-1}`)), jsonl.Append(nil, []byte(`[]`)))
	f.Fuzz(func(t *testing.T, a, payload []byte) {
		dir := t.TempDir()
		if bytes.IndexByte(payload, '\n') < 0 {
			a = jsonl.Append(a, payload)
		}
		if err := os.WriteFile(filepath.Join(dir, segmentName(3)), a, 0o600); err != nil {
			t.Fatal(err)
		}
		before := read(t, dir, Query{})
		j, err := Open(dir, Options{})
		if err != nil {
			t.Fatal(err)
		}
		j.Append(Event{Kind: Warning})
		if err := j.Close(); err != nil {
			t.Fatal(err)
		}
		if after := read(t, dir, Query{}); len(after) != len(before)+1 {
			t.Fatalf("%d events, then %d", len(before), len(after))
		}
	})
}

func BenchmarkAppend(b *testing.B) {
	j, err := Open(b.TempDir(), Options{})
	if err != nil {
		b.Fatal(err)
	}
	defer j.Close()
	e := Event{Time: noon, Kind: StateChanged, Service: "api", ID: "api", From: "running", To: "backoff", Reason: "exit 3 after 1.2s, next try in 8s"}
	b.ReportAllocs()
	for b.Loop() {
		j.Append(e)
	}
}

func BenchmarkOpenFull(b *testing.B) {
	dir := b.TempDir()
	j, err := Open(dir, Options{})
	if err != nil {
		b.Fatal(err)
	}
	for i := range 40000 {
		j.Append(Event{Time: noon, Kind: StateChanged, Service: "api", ID: "api", From: "running", To: "backoff", Reason: "exit 3 after 1.2s, next try in 8s"})
		if i%500 == 0 {
			_ = j.Flush()
		}
	}
	j.Close()
	for b.Loop() {
		j, err := Open(dir, Options{})
		if err != nil {
			b.Fatal(err)
		}
		j.Close()
	}
}

func TestLongLastLinesKeepTheirEnd(t *testing.T) {
	text := strings.Repeat("an early line\n", 200) + "the cause"
	got := clip(Event{Details: map[string]string{LastLines: text, "other": text}}).Details
	if last := got[LastLines]; len(last) > maxDetail || !strings.HasPrefix(last, "an early line\n") || !strings.HasSuffix(last, "the cause") {
		t.Errorf("kept %d bytes, from %.20q to %q", len(last), last, last[max(0, len(last)-20):])
	}
	if strings.HasSuffix(got["other"], "the cause") {
		t.Error("another detail kept its end")
	}
}
