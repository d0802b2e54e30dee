package process

import (
	"os"
	"testing"
	"time"
)

func TestGuardRestsWhenNothingComes(t *testing.T) {
	in, out, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer in.Close()
	defer out.Close()
	rested := 0
	r := &restingReader{in: in, after: time.Hour, rest: func() { rested++ }}
	buf := make([]byte, 8)
	read := func(want string) {
		t.Helper()
		if n, err := r.Read(buf); err != nil || string(buf[:n]) != want {
			t.Fatalf("read %q, %v, want %q", buf[:n], err, want)
		}
	}
	write := func(s string) {
		if _, err := out.WriteString(s); err != nil {
			t.Error(err)
		}
	}

	write("busy\n") // it is read at once, not in an hour
	read("busy\n")
	if rested != 0 {
		t.Error("it rested while there was work")
	}
	r.after = time.Millisecond
	rest := r.rest
	r.rest = func() { rest(); write("late\n") }
	read("late\n") // what comes after the rest is not missed
	write("more\n")
	read("more\n")
	if rested != 1 {
		t.Errorf("it rested %d times", rested)
	}
}

func TestGuardDoesNotRestWhenTheHostEnded(t *testing.T) {
	in, out, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer in.Close()
	out.Close()
	r := &restingReader{in: in, after: time.Hour, rest: func() { t.Error("it rested") }}
	if n, err := r.Read(make([]byte, 8)); n != 0 || err == nil {
		t.Errorf("read %d bytes, %v", n, err)
	}
}
