package web

import (
	"context"
	"fmt"
	"net"
	"reflect"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"servicehost/host/control"
	"servicehost/host/journal"
)

func TestLiveTellsWhatChangesAndNothingElse(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.host.change(func(s *control.Status) { s.Services = services(1000) })
	base := r.loopback()
	events, _ := r.watch(base+"/api/v1/live", bearer(readToken1))
	whole := next[control.Status](t, events, "status")
	if len(whole.Services) != 1000 || whole.Host.Name != "orders-01" {
		t.Fatalf("%d services of %q", len(whole.Services), whole.Host.Name)
	}
	r.host.change(func(s *control.Status) {
		for n := range s.Services { // usage alone is no change
			s.Services[n].CPUPercent, s.Services[n].MemoryBytes = 3, 7
		}
		s.Services[500].State, s.Services[500].Reason = "backoff", "exit 3"
	})
	r.journal.Append(journal.Event{Kind: journal.StateChanged, ID: "s0500", To: "backoff"})
	if e := next[journal.Event](t, events, "journal"); e.ID != "s0500" || e.Seq == 0 {
		t.Errorf("%+v", e)
	}
	ch := next[changes](t, events, "services")
	if len(ch.Changed) != 1 || ch.Changed[0].ID != "s0500" || ch.Changed[0].State != "backoff" || len(ch.Removed) != 0 {
		t.Fatalf("%d changed, %v removed", len(ch.Changed), ch.Removed)
	}
	r.host.change(func(s *control.Status) { // without an event, and all move up
		s.Services = append(s.Services[:10:10], s.Services[11:]...)
		s.Services = append(s.Services, control.ServiceStatus{ID: "new", Name: "new"})
	})
	ch = next[changes](t, events, "services")
	if len(ch.Changed) != 1 || ch.Changed[0].ID != "new" || !reflect.DeepEqual(ch.Removed, []string{"s0010"}) {
		t.Fatalf("%d changed, %v removed", len(ch.Changed), ch.Removed)
	}
	r.host.change(func(s *control.Status) { s.Host.Paused = true })
	if h := next[control.HostStatus](t, events, "host"); !h.Paused {
		t.Error("not paused")
	}
	u := next[usageNow](t, events, "usage")
	if len(u.Services) != 999 || u.Services["s0001"] != [2]float64{3, 7} || u.At == 0 {
		t.Errorf("usage of %d: %v", len(u.Services), u.Services["s0001"])
	}
}

func TestLiveLooksAtMostFourTimesASecondForAll(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	base := r.loopback()
	for range 5 {
		events, _ := r.watch(base+"/api/v1/live", bearer(readToken1))
		next[control.Status](t, events, "status")
	}
	looks := func() int {
		r.host.mu.Lock()
		defer r.host.mu.Unlock()
		return r.host.looks
	}
	before, began := looks(), time.Now()
	eventually(t, "eight looks", func() bool {
		r.journal.Append(journal.Event{Kind: journal.StateChanged, ID: "s0000"})
		return looks()-before >= 8
	})
	// One look every 250 ms, one more at each end, and one for the usage.
	if n, took := looks()-before, time.Since(began); n > int(took/lookTime)+3 {
		t.Errorf("%d looks in %s", n, took)
	}
}

func TestNobodyLooksWithoutAReader(t *testing.T) {
	r := newRig(t)
	base := r.loopback()
	events, stop := r.watch(base+"/api/v1/live", bearer(readToken1))
	next[control.Status](t, events, "status")
	stop()
	eventually(t, "the feed to end", func() bool {
		r.s.feed.mu.Lock()
		defer r.s.feed.mu.Unlock()
		return len(r.s.feed.clients) == 0 && r.s.feed.stop == nil
	})
	r.s.feed.wg.Wait()
	r.journal.Append(journal.Event{Kind: journal.Warning})
	events, _ = r.watch(base+"/api/v1/live", bearer(readToken1))
	next[control.Status](t, events, "status")
	r.journal.Append(journal.Event{Kind: journal.StateChanged, ID: "s0001"})
	if e := next[journal.Event](t, events, "journal"); e.ID != "s0001" {
		t.Errorf("%+v", e)
	}
}

func TestReaderThatDoesNotReadHoldsUpNobody(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	base := r.loopback()
	slow, err := net.Dial("tcp", strings.TrimPrefix(base, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	defer slow.Close()
	_ = slow.(*net.TCPConn).SetReadBuffer(4 << 10)
	fmt.Fprintf(slow, "GET /api/v1/live HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer %s\r\n\r\n", readToken1)
	eventually(t, "the slow reader to be there", func() bool {
		r.s.feed.mu.Lock()
		defer r.s.feed.mu.Unlock()
		return len(r.s.feed.clients) == 1
	})
	events, _ := r.watch(base+"/api/v1/live", bearer(readToken1))
	next[control.Status](t, events, "status")
	missed := func() bool {
		r.s.feed.mu.Lock()
		defer r.s.feed.mu.Unlock()
		for c := range r.s.feed.clients {
			if c.fresh {
				return true
			}
		}
		return false
	}
	long := strings.Repeat("x", 4<<10)
	for n := 0; !missed(); n++ {
		if n > 20000 {
			t.Fatal("the slow reader takes everything")
		}
		e := r.journal.Append(journal.Event{Kind: journal.Warning, Reason: long})
		if got := next[journal.Event](t, events, "journal"); got.Seq != e.Seq {
			t.Fatalf("got %d, want %d", got.Seq, e.Seq)
		}
	}
}

func TestReaderThatMissedSomethingGetsAllAnew(t *testing.T) {
	r := newRig(t)
	f := r.s.feed
	c, ok := f.join()
	if !ok {
		t.Fatal("not let in")
	}
	defer f.leave(c)
	first := <-c.frames
	if !strings.HasPrefix(string(first), "event: status\n") {
		t.Fatalf("first %.40q", first)
	}
	fresh := func() bool {
		f.mu.Lock()
		defer f.mu.Unlock()
		return c.fresh
	}
	for !fresh() {
		r.journal.Append(journal.Event{Kind: journal.Warning, Reason: "one of many"})
	}
	seen := 0
	for frame := range c.frames {
		if seen++; strings.HasPrefix(string(frame), "event: status\n") {
			break
		}
		if seen > liveFrames {
			t.Fatal("more than can have waited")
		}
	}
	if seen <= 1 {
		t.Error("nothing had waited")
	}
}

func TestReadersAreBounded(t *testing.T) {
	r := newRig(t)
	base := r.loopback()
	var all []*client
	for range maxLive {
		c, ok := r.s.feed.join()
		if !ok {
			t.Fatal("not let in")
		}
		all = append(all, c)
	}
	a := r.get(base+"/api/v1/live", bearer(readToken1)).want(t, "one more", 503)
	if a.header.Get("Retry-After") == "" {
		t.Error("nobody says when to come again")
	}
	for _, c := range all {
		r.s.feed.leave(c)
	}
	events, _ := r.watch(base+"/api/v1/live", bearer(readToken1))
	next[control.Status](t, events, "status")
}

func TestUsageIsMeasuredAtFirstAndThenSeldom(t *testing.T) {
	var asked []bool
	o := Options{Status: func(_ context.Context, measured bool) (control.Status, error) {
		asked = append(asked, measured)
		return control.Status{}, nil
	}}
	synctest.Test(t, func(t *testing.T) {
		var v view
		for range 200 {
			v.look(t.Context(), o)
			time.Sleep(lookTime)
		}
	})
	n := 0
	for _, measured := range asked {
		if measured {
			n++
		}
	}
	if !asked[0] || n != 2 {
		t.Errorf("measured %d times in 50 s, at first: %v", n, asked[0])
	}
}

// Whatever is there in a status must count as a change, but for what is known to change all the time.
func TestEveryFieldCountsAsAChange(t *testing.T) {
	quiet := map[string]bool{"CPUPercent": true, "MemoryBytes": true, "Processes": true}
	var eq comparer
	kind := reflect.TypeFor[control.ServiceStatus]()
	for n := range kind.NumField() {
		name := kind.Field(n).Name
		var a, b control.ServiceStatus
		v := reflect.ValueOf(&b).Elem().Field(n)
		switch v.Kind() {
		case reflect.String:
			v.SetString("x")
		case reflect.Int, reflect.Int64:
			v.SetInt(1)
		case reflect.Float64:
			v.SetFloat(1)
		case reflect.Bool:
			v.SetBool(true)
		case reflect.Pointer:
			v.Set(reflect.New(v.Type().Elem()))
		case reflect.Slice:
			v.Set(reflect.MakeSlice(v.Type(), 1, 1))
		case reflect.Struct:
			switch v.Addr().Interface().(type) {
			case *time.Time:
				v.Set(reflect.ValueOf(time.Unix(1, 0)))
			case *control.ServiceSpecStatus:
				v.Field(0).SetString("x")
			default:
				t.Fatalf("%s: %s", name, v.Type())
			}
		default:
			t.Fatalf("%s: %s", name, v.Kind())
		}
		if eq.same(&a, &b) != quiet[name] {
			t.Errorf("%s: a change is one: %v", name, quiet[name])
		}
	}
	at := time.Unix(1, 0)
	a := control.ServiceStatus{Probes: []control.ProbeStatus{{Result: "success"}}}
	b := control.ServiceStatus{Probes: []control.ProbeStatus{{Result: "success", At: &at, Next: &at, DurationMS: 3}}}
	if !eq.same(&a, &b) {
		t.Error("a probe that goes on as before is a change")
	}
	a.Thresholds = []control.ThresholdStatus{{Measure: "memory", Value: "401 MiB"}}
	b.Thresholds = []control.ThresholdStatus{{Measure: "memory", Value: "402 MiB"}}
	if !eq.same(&a, &b) {
		t.Error("a threshold that is crossed by another value is a change")
	}
	if b.Probes[0].At == nil || b.Thresholds[0].Value == "" {
		t.Error("comparing changed what was compared")
	}
	if b.Probes[0].Failures = 1; eq.same(&a, &b) {
		t.Error("a failure of a probe is none")
	}
}

func BenchmarkLookAtAThousand(b *testing.B) {
	host := &fakeHost{status: control.Status{Services: services(1000)}}
	o := Options{Status: host.statusFor}
	var v view
	v.look(b.Context(), o)
	b.ReportAllocs()
	for b.Loop() {
		if v.look(b.Context(), o) != nil {
			b.Fatal("something changed")
		}
	}
}
