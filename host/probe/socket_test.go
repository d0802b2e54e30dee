package probe

import (
	"os"
	"path/filepath"
	"testing"
	"time"
)

// shortDir is a folder whose name leaves room for a socket.
func shortDir(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "p")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	return filepath.Join(dir, "n")
}

func listen(t *testing.T, o SocketOptions) *Socket {
	t.Helper()
	if o.Dir == "" {
		o.Dir = shortDir(t)
	}
	s, err := Listen(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	return s
}

// inbox is where messages are taken from, one by one.
type inbox chan Message

func (in inbox) next(t *testing.T) Message {
	t.Helper()
	select {
	case m := <-in:
		return m
	case <-time.After(10 * time.Second):
		t.Fatal("nothing came")
		return Message{}
	}
}
