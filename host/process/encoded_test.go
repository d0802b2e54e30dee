package process_test

import (
	"bytes"
	"net"
	"strconv"
	"testing"

	"servicehost/host/process"
)

// connect opens a connection to the server and returns how to end it.
func connect(t *testing.T, server *process.Server) (process.Backend, func()) {
	t.Helper()
	near, far := net.Pipe()
	served := make(chan error, 1)
	go func() { served <- server.Serve(far) }()
	b, err := process.Dial(near)
	if err != nil {
		t.Fatal(err)
	}
	return b, func() {
		near.Close()
		if err := <-served; err != nil {
			t.Errorf("Serve: %v", err)
		}
	}
}

func TestServerOutlivesItsConnections(t *testing.T) {
	server := process.NewServer(newBackend(t))
	const lines = 50000
	want := numbered(lines)
	id := process.RunID{Service: "web", Instance: 1, Incarnation: 1}
	var first process.Identity
	var all bytes.Buffer
	for round := 0; all.Len() < len(want); round++ {
		if round > 200 {
			t.Fatalf("only %d bytes after %d connections", all.Len(), round)
		}
		b, hangUp := connect(t, server)
		ident, err := b.Start(id, part("lines", strconv.Itoa(lines)))
		if err != nil {
			t.Fatal(err)
		}
		if round == 0 {
			first = ident
		} else if ident != first {
			t.Fatalf("the run was started again: %+v, first %+v", ident, first)
		}
		out, err := b.OpenOutput(id, process.Stdout)
		if err != nil {
			t.Fatal(err)
		}
		before := all.Len()
		if err := out.Copy(func(p []byte) {
			all.Write(p)
			if all.Len()-before > 50000 {
				out.Close()
			}
		}); err != nil {
			t.Fatalf("Copy: %v", err)
		}
		hangUp() // with output under way that nobody has taken
	}
	checkSame(t, all.String(), want)

	// The exit is there for whoever comes next.
	b, hangUp := connect(t, server)
	defer hangUp()
	s := &stage{Backend: b, t: t}
	awaitTrue(t, "the run is gone", func() bool { list := s.List(); return len(list) == 1 && list[0].Gone })
	if exit := s.List()[0].Exit; exit == nil || exit.Code != 0 {
		t.Errorf("exit %+v", exit)
	}
	b.Ack(id)
	if list := b.List(); len(list) != 0 {
		t.Errorf("List after Ack: %v", list)
	}
}

func TestLostConnectionEndsCopy(t *testing.T) {
	server := process.NewServer(newBackend(t))
	b, hangUp := connect(t, server)
	s := &stage{Backend: b, t: t}
	id, _ := s.start(part("sleep"))
	out := s.read(id, process.Stdout)
	out.awaitText(t, "ready")
	hangUp()
	if err := <-out.done; err == nil || kindOf(t, err) != process.ErrOther {
		t.Errorf("Copy over a lost connection: %v", err)
	}
	if _, err := s.OpenOutput(id, process.Stdout); kindOf(t, err) != process.ErrOther {
		t.Errorf("OpenOutput over a lost connection: %v", err)
	}
}

func TestRequestSurvivesEncoding(t *testing.T) {
	// On Unix a name or an argument may be any bytes but zero.
	b, hangUp := connect(t, process.NewServer(newBackend(t)))
	t.Cleanup(hangUp)
	s := newStage(t, b)
	odd := "caf\xe9 \xff"
	id, _ := s.start(part("args", odd, "<&>"))
	text := s.read(id, process.Stdout).awaitEnd(t)
	if want := oddArgument(odd) + "\n" + quoted("<&>") + "\n"; text != want {
		t.Errorf("arrived as %s, want %s", text, want)
	}
	s.await(id, process.Gone)
}
