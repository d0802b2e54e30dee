package e2e

import (
	"compress/gzip"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"testing"
	"time"

	"servicehost/host/control"
)

// lineServer takes JSON lines over HTTP. It can be stopped and started again at the same address.
type lineServer struct {
	t     *testing.T
	addr  string
	lines lineCount
	http  *http.Server
}

func (s *lineServer) ServeHTTP(w http.ResponseWriter, req *http.Request) {
	in, err := gzip.NewReader(req.Body)
	if err != nil {
		s.t.Error(err)
		return
	}
	var records []struct{ Service, Host, Stream, Line string }
	for d := json.NewDecoder(in); ; {
		var v struct{ Service, Host, Stream, Line string }
		if err := d.Decode(&v); err == io.EOF {
			break
		} else if err != nil { // the host was stopped, or stopped the request: it comes again
			w.WriteHeader(http.StatusInternalServerError)
			return
		}
		records = append(records, v)
	}
	for _, v := range records {
		if v.Host != "orders-01" || v.Stream != "stdout" {
			s.t.Errorf("what is %+v", v)
		}
		s.lines.line(v.Service, v.Line)
	}
}

func (s *lineServer) start() {
	var l net.Listener
	var err error
	for end := time.Now().Add(10 * time.Second); ; time.Sleep(10 * time.Millisecond) {
		if l, err = net.Listen("tcp", s.addr); err == nil || time.Now().After(end) {
			break
		}
	}
	if err != nil {
		s.t.Fatal(err)
	}
	s.addr = l.Addr().String()
	server := &http.Server{Handler: s}
	s.http = server
	go server.Serve(l)
}

// stop answers what it has got before it goes.
func (s *lineServer) stop() {
	if err := s.http.Shutdown(context.Background()); err != nil {
		s.t.Error(err)
	}
}

// targetIs waits for the state of a log target.
func (r *rig) targetIs(what string, ok func(control.LogTargetStatus) bool) {
	r.t.Helper()
	r.until(what, func(s control.Status) bool { return len(s.Host.LogTargets) > 0 && ok(s.Host.LogTargets[0]) })
}

// TestEveryLineArrivesAtATargetThatGoesAway: it is away for a while in the middle, and gets every line once, in order.
func TestEveryLineArrivesAtATargetThatGoesAway(t *testing.T) {
	s := &lineServer{t: t, addr: "127.0.0.1:0"}
	s.start()
	t.Cleanup(func() { s.stop() })
	e := everyLine{
		services: 20, lines: 8_000, log: ", forward: [there]",
		host: fmt.Sprintf("host: {name: orders-01, log_targets: {there: {type: json, url: \"http://%s/\"}}}\n", s.addr),
	}
	if slow {
		e.lines = 2000
	}
	all := e.services * e.lines
	e.middle = func(r *rig) {
		r.poll("lines at the target", func() bool { n, _ := s.lines.total(); return n > 0 })
		s.stop()
	}
	e.end = func(r *rig) {
		r.targetIs("lines to wait on disk", func(v control.LogTargetStatus) bool {
			return v.State == "trouble" && v.SpooledBytes > 0
		})
		s.start()
		r.poll("all lines at the target", func() bool {
			n, err := s.lines.total()
			if err != nil {
				t.Fatal(err)
			}
			return n == all
		})
		r.targetIs("nothing to wait", func(v control.LogTargetStatus) bool {
			return v.State == "ok" && v.SentRecords >= int64(all) && v.DroppedRecords == 0 && v.WaitingRecords == 0 && v.SpooledBytes == 0
		})
	}
	e.run(t)
}
