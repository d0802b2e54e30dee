package process

import (
	"bytes"
	"encoding/binary"
	"os"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// flooded is an output whose writer goes on until total bytes, numbered, are written or the pipe is closed.
func flooded(t *testing.T, total int) *output {
	t.Helper()
	fd, o, err := outputPipe()
	if err != nil {
		t.Fatal(err)
	}
	w := os.NewFile(uintptr(fd), "child")
	done := make(chan struct{})
	go func() {
		defer close(done)
		defer w.Close()
		chunk := make([]byte, 4000)
		for at := 0; at < total; at += len(chunk) {
			number(chunk, at)
			if _, err := w.Write(chunk); err != nil {
				return
			}
		}
	}()
	t.Cleanup(func() {
		o.release()
		<-done
	})
	return o
}

// number fills p, at this place of the stream, with the number of every 8 bytes.
func number(p []byte, at int) {
	for i := 0; i < len(p); i += 8 {
		binary.BigEndian.PutUint64(p[i:], uint64(at+i))
	}
}

// A stream is complete and in order however often it changes between poller and flood and is opened again.
func TestFloodArrivesWhole(t *testing.T) {
	const total = 24 << 20 / 4000 * 4000
	o := flooded(t, total)
	want := make([]byte, readSize+8)
	at, seen, opened := 0, 0, 0
	for at < total {
		opened++
		r := &reader{output: o}
		part := 0
		err := r.Copy(func(p []byte) {
			if floods.Load() > 0 {
				seen++
			}
			from := at / 8 * 8
			number(want[:(at-from+len(p)+7)/8*8], from)
			if !bytes.Equal(p, want[at-from:at-from+len(p)]) {
				t.Fatalf("at %d something else arrived", at)
			}
			at += len(p)
			if part += len(p); part > 8<<20 {
				r.Close()
			}
		})
		if err != nil {
			t.Fatalf("Copy: %v", err)
		}
		if floods.Load() != 0 {
			t.Fatal("the flood outlives its Copy")
		}
		if part == 0 {
			break
		}
	}
	if at != total {
		t.Errorf("%d of %d bytes arrived", at, total)
	}
	if seen == 0 || opened < 3 {
		t.Errorf("%d reads in a flood, opened %d times", seen, opened)
	}
}

// Release ends a flood, and what was taken out of the poller is closed.
func TestReleaseEndsAFlood(t *testing.T) {
	o := flooded(t, 1<<40)
	r := &reader{output: o}
	copied := make(chan error, 1)
	in := make(chan struct{}, 1)
	go func() {
		copied <- r.Copy(func([]byte) {
			if floods.Load() > 0 {
				select {
				case in <- struct{}{}:
				default:
				}
			}
		})
	}()
	for _, step := range []struct {
		what string
		c    any
	}{{"no flood", in}, {"Copy goes on", copied}} {
		switch c := step.c.(type) {
		case chan struct{}:
			select {
			case <-c:
			case <-time.After(30 * time.Second):
				t.Fatal(step.what)
			}
			o.release()
		case chan error:
			select {
			case err := <-c:
				if err != nil {
					t.Errorf("Copy: %v", err)
				}
			case <-time.After(30 * time.Second):
				t.Fatal(step.what)
			}
		}
	}
	if o.f != nil {
		t.Error("it is open again")
	}
}

// A flood that has become a trickle goes back to the poller, with a pipe of the usual size.
func TestFloodEnds(t *testing.T) {
	fd, o, err := outputPipe()
	if err != nil {
		t.Fatal(err)
	}
	defer o.release()
	size := func() int {
		n, err := unix.FcntlInt(uintptr(fd), unix.F_GETPIPE_SZ, 0)
		if err != nil {
			t.Error(err)
		}
		return n
	}
	before := size()
	w := os.NewFile(uintptr(fd), "child")
	defer w.Close()
	r := &reader{output: o}
	deep := make(chan int, 1)
	copied := make(chan error, 1)
	go func() {
		copied <- r.Copy(func([]byte) {
			if floods.Load() > 0 {
				select {
				case deep <- size():
				default:
				}
			}
		})
	}()
	chunk := make([]byte, 4000)
	var got int
	for deadline := time.Now().Add(30 * time.Second); got == 0; {
		if time.Now().After(deadline) {
			t.Fatal("no flood")
		}
		if _, err := w.Write(chunk); err != nil {
			t.Fatal(err)
		}
		select {
		case got = <-deep:
		default:
		}
	}
	if got < before {
		t.Errorf("the pipe holds %d bytes in a flood, %d before", got, before)
	}
	for deadline := time.Now().Add(30 * time.Second); floods.Load() > 0; time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("the flood doesn't end")
		}
	}
	if n := size(); n != before {
		t.Errorf("the pipe holds %d bytes after the flood, %d before", n, before)
	}
	r.Close()
	if err := <-copied; err != nil {
		t.Errorf("Copy: %v", err)
	}
}

// A sink that hangs keeps none of the other floods, however many hang.
func TestFloodsPassOneThatHangs(t *testing.T) {
	hanging := floodTurns.most + 1
	free := make(chan struct{})
	copied := make(chan error, hanging)
	var outputs []*output
	for i := range hanging {
		o := flooded(t, 1<<40)
		outputs = append(outputs, o)
		hung := make(chan struct{})
		go func() {
			once := false
			copied <- (&reader{output: o}).Copy(func([]byte) {
				if floods.Load() > int32(i) && !once {
					once = true
					close(hung)
					<-free
				}
			})
		}()
		select {
		case <-hung:
		case <-time.After(30 * time.Second):
			t.Fatal("no flood")
		}
	}
	const total = 8 << 20 / 4000 * 4000
	o, at := flooded(t, total), 0
	whole := make(chan error, 1)
	go func() { whole <- (&reader{output: o}).Copy(func(p []byte) { at += len(p) }) }()
	select {
	case err := <-whole:
		if err != nil || at != total {
			t.Errorf("%d of %d bytes, %v", at, total, err)
		}
	case <-time.After(30 * time.Second):
		t.Error("it waits for those that hang")
	}
	close(free)
	for _, o := range outputs {
		o.release()
	}
	for range hanging {
		if err := <-copied; err != nil {
			t.Errorf("Copy: %v", err)
		}
	}
}
